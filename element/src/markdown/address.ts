/** Where a link leads: reading targets, addresses in plain text, and what may be opened. */

import { safeUrl } from "../dom";

const ESCAPED = /\\([!-/:-@[-`{-~])|&(?:#\d{1,7}|#[xX][\da-fA-F]{1,6}|[a-z]{2,5});/g;
const NAMED = new Map([
  ["&amp;", "&"],
  ["&lt;", "<"],
  ["&gt;", ">"],
  ["&quot;", '"'],
  ["&apos;", "'"],
  ["&nbsp;", "\u00a0"],
]);
const DEEPEST = 32;

/** The character that an entity reference stands for; the reference itself if nobody knows it. */
export function decode(reference: string): string {
  const [, hex, digits] = /^&#([xX]?)([\da-fA-F]+);$/.exec(reference) ?? [];
  if (digits === undefined) return NAMED.get(reference) ?? reference;
  const code = parseInt(digits, hex ? 16 : 10);
  const valid = code > 0 && code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff);
  return valid ? String.fromCodePoint(code) : "\ufffd";
}

function unescape(source: string): string {
  return source.replace(ESCAPED, (found, char: string | undefined) => char ?? decode(found));
}

/** The attributes of a link to an address; null if nobody may be sent there. */
export function linkAttributes(address: string, title = ""): Record<string, string> | null {
  const named: Record<string, string> = title ? { title } : {};
  if (address.startsWith("chatkit-link://")) {
    return { href: "#", "data-address": address, ...named };
  }
  const url = address && safeUrl(address.replaceAll("\\", "%5C"));
  return url ? { href: url, target: "_blank", rel: "noopener noreferrer", ...named } : null;
}

export interface Target {
  address: string;
  title: string;
  /** The place after the closing parenthesis. */
  end: number;
}

/**
 * A link's `(address "title")` that starts at a place: "unfinished" if the text ends within it, null if
 * there is none.
 */
export function readTarget(source: string, start: number): Target | "unfinished" | null {
  const from = pastSpace(source, start + 1);
  const to = source.charAt(from) === "<" ? pastAngle(source, from) : pastBare(source, from);
  if (to === null) return null;
  let at = pastSpace(source, to);
  let title = "";
  const close = { '"': '"', "'": "'", "(": ")" }[source.charAt(at)];
  if (close && at > to) {
    const end = pastTitle(source, at, close);
    if (end === null) return null;
    title = unescape(source.slice(at + 1, end - 1));
    at = pastSpace(source, end);
  }
  if (at >= source.length) return "unfinished";
  if (source.charAt(at) !== ")") return null;
  const raw = source.slice(from, to);
  return { address: unescape(raw.replace(/^<|>$/g, "")), title, end: at + 1 };
}

function pastSpace(source: string, start: number): number {
  let at = start;
  while (at < source.length && " \t\n".includes(source.charAt(at))) at++;
  return at;
}

function pastAngle(source: string, start: number): number | null {
  for (let at = start + 1; at < source.length; at++) {
    const char = source.charAt(at);
    if (char === ">") return at + 1;
    if (char === "<" || char === "\n") return null;
    if (char === "\\") at++;
  }
  return source.length;
}

function pastBare(source: string, start: number): number | null {
  let depth = 0;
  let at = start;
  for (; at < source.length && source.charAt(at) > " "; at++) {
    const char = source.charAt(at);
    if (char === "\\" && source.charAt(at + 1) > " ") at++;
    else if (char === "(" && ++depth > DEEPEST) return null;
    else if (char === ")" && --depth < 0) return at;
  }
  return depth && at < source.length ? null : Math.min(at, source.length);
}

function pastTitle(source: string, start: number, close: string): number | null {
  for (let at = start + 1; at < source.length; at++) {
    const char = source.charAt(at);
    if (char === close) return at + 1;
    if (char === "(" && close === ")") return null;
    if (char === "\\") at++;
  }
  return source.length;
}

// A full-width mark ends an address too, and so does what closes the text around it.
const BARE = /https?:\/\/[^\s<>"`\u3000-\u303f\uff01-\uff5e]+/iy;

/** The web address in plain text at a place, without the marks of the sentence around it; "" if none. */
export function readAddress(source: string, start: number, bracketed: boolean): string {
  BARE.lastIndex = start;
  let [found] = BARE.exec(source) ?? [""];
  if (bracketed && found.includes("]")) found = found.slice(0, found.indexOf("]"));
  let open = 0;
  for (const char of found) open += char === "(" ? 1 : char === ")" ? -1 : 0;
  let end = found.length;
  for (; end; end--) {
    const char = found.charAt(end - 1);
    if (char === ")" ? open++ >= 0 : !"?!.,:;*_~'|".includes(char)) break;
  }
  found = found.slice(0, end);
  return /:\/\/[^/?#]/.test(found) ? found : "";
}
