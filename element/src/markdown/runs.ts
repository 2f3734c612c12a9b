/** Emphasis: which runs of `*`, `_` and `~~` may open or close it, and which belong together. */

import type { Part } from "./parts";

/** A run of `*`, `_` or `~`. */
export interface Run {
  part: Part;
  /** How many of its marks no pair has used. */
  left: number;
  char: string;
  at: number;
  length: number;
  opens: boolean;
  closes: boolean;
}

/** The run that starts at a place, for the part that will hold it; null if it can do nothing. */
export function readRun(source: string, at: number, end: number, part: Part): Run | null {
  const char = source.charAt(at);
  const before = source.charAt(at - 1);
  const after = source.charAt(end);
  const left = !isSpace(after) && (!isMark(after) || isSpace(before) || isMarkOrCjk(before));
  const right = !isSpace(before) && (!isMark(before) || isSpace(after) || isMarkOrCjk(after));
  // An underscore within a word is one.
  const opens = left && (char !== "_" || !right || isMark(before));
  const closes = right && (char !== "_" || !left || isMark(after));
  const length = end - at;
  return opens || closes ? { part, left: length, char, at, length, opens, closes } : null;
}

function isSpace(char: string): boolean {
  return /^\s?$/.test(char);
}

export function isMark(char: string): boolean {
  return /[\p{P}\p{S}]/u.test(char);
}

/** Chinese, Japanese and Korean put no space around marks: `**「a」**b` is strong too. */
function isMarkOrCjk(char: string): boolean {
  return isMark(char) || /[\u3000-\u9fff\uac00-\ud7af\uff00-\uffef]/.test(char);
}

/** Pairs runs that open with runs that close; answers those that are still open. */
export function pair(runs: readonly Run[]): Run[] {
  const open: Run[] = [];
  // For each kind of closing run: below this place nothing opens it. It keeps the whole linear.
  const bottoms = new Map<string, number>();
  for (const run of runs) {
    while (run.closes && run.left) {
      const kind = `${run.char}${run.opens}${run.length % 3}`;
      const bottom = bottoms.get(kind) ?? 0;
      let i = open.length - 1;
      while (i >= bottom && !fits(open[i], run)) i--;
      const opener = i >= bottom ? open[i] : undefined;
      if (!opener) {
        bottoms.set(kind, open.length);
        break;
      }
      join(opener, run, Math.min(2, opener.left, run.left));
      open.length = opener.left ? i + 1 : i;
      for (const [key, value] of bottoms) bottoms.set(key, Math.min(value, open.length));
    }
    if (run.opens && run.left) open.push(run);
  }
  for (const run of runs) run.part.text = run.char.repeat(run.left);
  return open;
}

/** Closes a run that nothing has closed. */
export function closeAt(end: Part, run: Run): void {
  while (run.left) join(run, { part: end, left: run.left }, Math.min(2, run.left));
  run.part.text = "";
}

function fits(opener: Run | undefined, closer: Run): boolean {
  if (opener?.char !== closer.char) return false;
  const either = opener.closes || closer.opens;
  const thirds = (opener.length + closer.length) % 3 === 0;
  return !either || !thirds || (opener.length % 3 === 0 && closer.length % 3 === 0);
}

/** Makes two runs a pair by so many marks of each. */
function join(opener: Run, closer: Pick<Run, "part" | "left">, marks: number): void {
  const tag = opener.char === "~" ? "del" : marks === 2 ? "strong" : "em";
  opener.left -= marks;
  closer.left -= marks;
  opener.part.opens.push({ tag, attributes: {} });
  closer.part.closes++;
}
