/** What a text says elsewhere: `[label]: address "title"`, and notes. */

import { pastSpace, readPlace, type Target } from "./address";

const LONGEST = 999;

export interface References {
  links: Map<string, Pick<Target, "address" | "title">>;
  /** The number of each note, by its label. */
  notes: Map<string, number>;
  /** Another text whenever something else is said here. */
  mark: string;
}

export function noReferences(): References {
  return { links: new Map(), notes: new Map(), mark: "" };
}

/** What makes labels equal: neither case nor the kind of white space. */
export function labelOf(label: string): string {
  return label.trim().replace(/\s+/g, " ").toLowerCase().toUpperCase();
}

/** The place of the `]` that ends the label after a `[`; null if there is no label. */
export function endOfLabel(source: string, start: number): number | null {
  const last = Math.min(source.length, start + LONGEST + 2);
  for (let at = start + 1; at < last; at++) {
    const char = source.charAt(at);
    if (char === "]") return at;
    if (char === "[") return null;
    if (char === "\\") at++;
  }
  return null;
}

/** Takes the definitions at the beginning of a paragraph in; answers where its text begins. */
export function takeDefinitions(source: string, into: References): number {
  let at = 0;
  while (source.charAt(at) === "[") {
    const end = takeDefinition(source, at, into);
    if (end === null) break;
    at = end;
  }
  return at;
}

function takeDefinition(source: string, start: number, into: References): number | null {
  const close = endOfLabel(source, start);
  if (close === null || source.charAt(close + 1) !== ":") return null;
  const label = labelOf(source.slice(start + 1, close));
  const from = pastSpace(source, close + 2);
  if (!label || label.startsWith("^") || from >= source.length) return null;
  const read = readPlace(source, from, true) ?? untitled(source, from);
  if (!read || (read.end === from && source.charAt(from) !== "<")) return null;
  const whole = endOfLine(source, read.end);
  // what follows the address on a line of its own may be no title
  const end = whole ?? endOfLine(source, read.bare);
  if (end === null) return null;
  if (!into.links.has(label)) {
    const { address, title } = read;
    into.links.set(label, { address, title: whole === null ? "" : title });
    into.mark += `${label}\n${address}\n`;
  }
  return end;
}

function untitled(source: string, from: number): ReturnType<typeof readPlace> {
  const line = source.indexOf("\n", from);
  return line < 0 ? null : readPlace(source.slice(0, line), from, true);
}

/** The beginning of the next line, if nothing more is on this one. */
function endOfLine(source: string, at: number): number | null {
  while (" \t".includes(source.charAt(at)) && at < source.length) at++;
  if (at >= source.length) return source.length;
  if (source.charAt(at) !== "\n") return null;
  at++;
  while (" \t".includes(source.charAt(at)) && at < source.length) at++;
  return at;
}
