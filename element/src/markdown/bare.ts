/** Addresses in plain text: of pages, of people, and what begins with `www.`. */

/** What no address goes on over: marks of sentences that are not ASCII, and what is not seen. */
const ENDS = /[\s<>"`\p{Pi}\p{Pf}\p{Z}\p{C}\u3000-\u303f\uff01-\uff5e]|(?![\0-\x7f])[\p{P}]/u;
const CJK = /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Hangul}]/u;
/** After one of these a word of an address may be Chinese; after a letter it is the sentence that goes on. */
const BEFORE_CJK = /[/?#=&_.:%-]/;

/** Where the web address at a place ends, without the marks of the sentence around it. */
function endOf(source: string, start: number, bracketed: boolean): number {
  let at = start;
  let open = 0;
  let before = "";
  for (; at < source.length; at++) {
    const char = source.charAt(at);
    if (ENDS.test(char) || (bracketed && char === "]")) break;
    const cjk = CJK.test(char);
    if (cjk && !CJK.test(before) && !BEFORE_CJK.test(before)) break;
    open += char === "(" ? 1 : char === ")" ? -1 : 0;
    before = char;
  }
  return withoutMarks(source, start, at, open);
}

function withoutMarks(source: string, start: number, past: number, open: number): number {
  let end = past;
  for (; end > start; end--) {
    const char = source.charAt(end - 1);
    if (char === "s" && source.charAt(end - 2) === "'") end--;
    else if (char === ")" ? open++ >= 0 : !"?!.,:;*_~'|".includes(char)) break;
  }
  const reference = /&[a-zA-Z\d]{1,31}$/.exec(source.slice(Math.max(start, end - 32), end));
  const named = reference && source.charAt(end) === ";";
  return named ? end - reference[0].length : end;
}

/** The web address at a place; "" if there is none. */
export function webAddress(source: string, start: number, bracketed: boolean): string {
  const head = source.slice(start, start + 8).toLowerCase();
  const scheme = head.startsWith("https://") ? 8 : head.startsWith("http://") ? 7 : 0;
  const www = !scheme && head.startsWith("www.");
  if (!scheme && !www) return "";
  const found = source.slice(start, endOf(source, start, bracketed));
  const host = /^[^/?#]*/.exec(found.slice(scheme))?.[0] ?? "";
  return www ? (/^www\.[^.]+\.[^.]/i.test(host) ? found : "") : host ? found : "";
}

/** How much before an `@` belongs to somebody's address, and its end after it; null if it is none. */
export function mailAround(
  source: string,
  at: number,
  least: number,
): { start: number; end: number } | null {
  let start = at;
  while (start > least && /[\w.+-]/.test(source.charAt(start - 1))) start--;
  if (source.slice(Math.max(least, start - 7), start).toLowerCase() === "mailto:") start -= 7;
  let end = at + 1;
  let dots = 0;
  for (; end < source.length && /[\w.-]/.test(source.charAt(end)); end++)
    if (source.charAt(end) === ".") dots++;
  while (source.charAt(end - 1) === ".") (end--, dots--);
  const good = start < at && dots > 0 && !/[-_@]/.test(source.charAt(end - 1));
  return good && !source.slice(at + 1, end).includes("..") ? { start, end } : null;
}
