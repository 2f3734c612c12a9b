/** What a page has found to be tagged: read, and as much of it as is shown. */

import type { Entity } from "@openai/chatkit";
import { plain } from "../plain";

const MOST_SHOWN = 50;
const MOST_LETTERS = 200;

/** The first of those that can be shown, those of a group together. */
export function shown(found: readonly unknown[]): Entity[] {
  const groups = new Map<string, Map<string, Entity>>();
  let count = 0;
  for (const each of found) {
    const entity = readEntity(each);
    if (!entity || count === MOST_SHOWN) continue;
    const group = groups.get(entity.group ?? "") ?? new Map<string, Entity>();
    groups.set(entity.group ?? "", group);
    if ([...groups.values()].some((others) => others.has(entity.id))) continue;
    group.set(entity.id, entity);
    count++;
  }
  return [...groups.values()].flatMap((group) => [...group.values()]);
}

/** What the page has brought, if it can be tagged; its title made one short line. */
export function readEntity(found: unknown): Entity | null {
  const entity = Object(found) as Entity;
  if (typeof entity.id !== "string" || !entity.id || typeof entity.title !== "string") return null;
  const letters = [...inALine(entity.title).replace(/^@+/, "")];
  const cut = letters.length > MOST_LETTERS;
  const title = cut ? `${letters.slice(0, MOST_LETTERS).join("")}…` : letters.join("").trim();
  const group = typeof entity.group === "string" ? inALine(entity.group) : "";
  const { icon, interactive, data, id } = entity;
  return title
    ? {
        id,
        title,
        ...(typeof icon === "string" && icon ? { icon } : {}),
        ...(group ? { group } : {}),
        interactive: interactive === true,
        ...(data && typeof data === "object" ? { data } : {}),
      }
    : null;
}

const inALine = (text: string): string =>
  plain(text)
    .replace(/[\s\p{Cc}]+/gu, " ")
    .trim();
