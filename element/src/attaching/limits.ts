/** What may be attached: as the page's options say, before anything is sent. */

import type { ChatKitOptions } from "@openai/chatkit";
import { sizeInWords, words } from "./words";

export type Limits = NonNullable<NonNullable<ChatKitOptions["composer"]>["attachments"]>;

const MOST_BYTES = 100 * 1024 * 1024;
const MOST_FILES = 10;

/** Why a file can't be attached, in words; null if it can. */
export function refusal(file: File, type: string, limits: Limits, attached: number): string | null {
  const most = limits.maxCount ?? MOST_FILES;
  if (attached >= most) return words.tooMany(most);
  if (!file.size) return words.empty(file.name);
  if (!accepts(file.name, type, limits.accept)) return words.notAccepted(file.name);
  const bytes = mostBytes(type, limits.maxSize);
  return file.size > bytes ? words.tooLarge(file.name, sizeInWords(bytes)) : null;
}

/** What a file picker offers. */
export function offered({ accept = {} }: Limits): string {
  return Object.entries(accept).flat(2).join(",");
}

function accepts(name: string, type: string, accept: Limits["accept"]): boolean {
  const wanted = Object.entries(accept ?? {});
  if (!wanted.length) return true;
  const endsSo = (end: string) => name.toLowerCase().endsWith(end.toLowerCase());
  return wanted.some(([pattern, ends]) => fits(type, pattern) || ends.some(endsSo));
}

/** The most that a file of a type may have: by the type, by its family, by the limit of all others. */
function mostBytes(type: string, limit: Limits["maxSize"]): number {
  if (typeof limit === "number") return limit;
  const patterns = Object.keys(limit ?? {}).filter((pattern) => fits(type, pattern));
  // the longest says most
  const [closest] = patterns.sort((a, b) => rank(b) - rank(a));
  return closest === undefined ? MOST_BYTES : (limit![closest] ?? MOST_BYTES);
}

const rank = (pattern: string): number => (/^$|\*/.test(pattern) ? 0 : 1_000) + pattern.length;

function fits(type: string, pattern: string): boolean {
  const [bare = ""] = type.toLowerCase().split(";");
  const wanted = pattern.toLowerCase().trim();
  if (["", "*", "*/*"].includes(wanted)) return true;
  return wanted.endsWith("/*") ? bare.startsWith(wanted.slice(0, -1)) : bare === wanted;
}
