/** Where a link leads: reading targets, and what may be opened. */

import { safeUrl } from "../dom";
import { unescape } from "./entities";

const DEEPEST = 32;

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
  /** The place after it. */
  end: number;
}

/**
 * A link's `(address "title")` that starts at a place: "unfinished" if the text ends within it, null if
 * there is none.
 */
export function readTarget(source: string, start: number): Target | "unfinished" | null {
  const read = readPlace(source, pastSpace(source, start + 1));
  if (!read) return null;
  const at = pastSpace(source, read.end);
  if (at >= source.length) return "unfinished";
  return source.charAt(at) === ")" ? { ...read, end: at + 1 } : null;
}

/**
 * An address and, after white space, its title; null if there is none. What does not end, ends with the text;
 * if it has to end (`strict`), there is none.
 */
export function readPlace(
  source: string,
  from: number,
  strict = false,
): (Target & { bare: number }) | null {
  const bare = source.charAt(from) === "<" ? pastAngle(source, from) : pastBare(source, from);
  if (bare === null || (strict && open(source, from, bare, "<", ">"))) return null;
  const address = unescape(source.slice(from, bare).replace(/^<|>$/g, ""));
  const at = pastSpace(source, bare);
  const close = at > bare && { '"': '"', "'": "'", "(": ")" }[source.charAt(at)];
  if (!close) return { address, title: "", end: bare, bare };
  const end = pastTitle(source, at, close);
  if (end === null || (strict && open(source, at, end, source.charAt(at), close))) return null;
  return { address, title: unescape(source.slice(at + 1, end - 1)), end, bare };
}

/** Whether what begins with one mark has come to the text's end without the other. */
function open(source: string, from: number, to: number, begin: string, close: string): boolean {
  const begun = source.charAt(from) === begin;
  return (
    begun && (to - from < 2 || source.charAt(to - 1) !== close || source.charAt(to - 2) === "\\")
  );
}

export function pastSpace(source: string, start: number): number {
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
