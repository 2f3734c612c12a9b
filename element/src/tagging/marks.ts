/** The tags of a text: where each stands, whatever becomes of the text around it. */

import type { Entity, UserMessageContent } from "@openai/chatkit";

/** A tag stands there as its name. */
export interface Mark {
  start: number;
  end: number;
  entity: Entity;
}

const MOST_KNOWN = 50;

export const nameOf = ({ title }: Entity): string => `@${title}`;

export class Marks {
  list: readonly Mark[] = [];
  /** Those that were named here, the latest first: what is written again, or undone, is found by its name. */
  known: readonly Entity[] = [];
  #text = "";

  /** From now on the name of this one is a tag. */
  learn(entity: Entity): void {
    const others = this.known.filter(({ id }) => id !== entity.id);
    this.known = [entity, ...others].slice(0, MOST_KNOWN);
  }

  /** The text is this one now, with the caret there. What is written into a tag ends it. */
  follow(text: string, caret: number): void {
    const [from, to] = changed(this.#text, text, caret);
    const moved = text.length - this.#text.length;
    const stays: Mark[] = [];
    for (const mark of this.list) {
      const by = mark.start >= to ? moved : 0;
      const next = { ...mark, start: mark.start + by, end: mark.end + by };
      if ((by || mark.end <= from) && stands(text, next)) stays.push(next);
      else this.learn(mark.entity);
    }
    this.#text = text;
    this.list = [...stays, ...this.#found(text, stays)].sort((a, b) => a.start - b.start);
  }

  /** Marks what stands at these places already. */
  set(text: string, list: readonly Mark[]): void {
    this.#text = text;
    this.list = [];
    for (const mark of list) this.learn(mark.entity);
    const stays = list.filter((mark) => stands(text, mark));
    this.list = [...stays, ...this.#found(text, stays)].sort((a, b) => a.start - b.start);
  }

  /** The message, in its parts. */
  content(): UserMessageContent[] {
    const parts: UserMessageContent[] = [];
    const text = this.#text.trimEnd();
    let at = text.length - text.trimStart().length;
    const say = (until: number) => {
      if (until > at) parts.push({ type: "input_text", text: text.slice(at, until) });
    };
    for (const { start, end, entity } of this.list) {
      say(start);
      parts.push(tagOf(entity));
      at = end;
    }
    say(text.length);
    return parts;
  }

  #found(text: string, taken: readonly Mark[]): Mark[] {
    const found: Mark[] = [];
    // of two that begin alike the longer one is meant
    for (const entity of this.known.toSorted((a, b) => b.title.length - a.title.length)) {
      const name = nameOf(entity);
      for (let start = text.indexOf(name); start >= 0; start = text.indexOf(name, start + 1)) {
        const mark = { start, end: start + name.length, entity };
        const free = [...taken, ...found].every((m) => m.end <= start || m.start >= mark.end);
        if (free && stands(text, mark)) found.push(mark);
      }
    }
    return found;
  }
}

/** Whether its name is there, and is no part of a longer word. */
function stands(text: string, { start, end, entity }: Mark): boolean {
  const apart = !start || /[\s("'«“]$/.test(text.slice(0, start));
  return (
    apart && text.slice(start, end) === nameOf(entity) && !/^[\p{L}\p{N}_]/u.test(text.slice(end))
  );
}

/** The part of the old text in whose place there is something else; what was changed ends at the caret. */
function changed(old: string, text: string, caret: number): [from: number, to: number] {
  const behind = text.slice(caret);
  let last = old.endsWith(behind) ? behind.length : 0;
  if (!last)
    while (last < Math.min(old.length, text.length) && old.at(-1 - last) === text.at(-1 - last))
      last++;
  let first = 0;
  const most = Math.min(old.length, text.length) - last;
  while (first < most && old[first] === text[first]) first++;
  return [first, old.length - last];
}

function tagOf({ id, title, group, data, interactive }: Entity): UserMessageContent {
  return {
    type: "input_tag",
    id,
    text: title,
    data: data ?? {},
    ...(group ? { group } : {}),
    interactive: interactive ?? false,
  };
}
