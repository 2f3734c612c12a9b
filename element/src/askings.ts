/** Says aloud what is asked, by cards and by questions, and what became of it. */

import { asks } from "./asks";
import type { ThreadItem } from "./protocol";
import { becameOf } from "./questions";

/** What changes several times meanwhile is said once. */
const PAUSE_MS = 700;

export class Askings {
  #told = new Map<string, string>();
  #looked = new WeakSet<ThreadItem>();
  #loading = true;
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor(private readonly say: (text: string) => void) {}

  /** What is there when a thread has been loaded is left to the reader. */
  look(items: ReadonlyMap<string, ThreadItem>, loading: boolean): void {
    const quiet = this.#loading;
    this.#loading = loading;
    for (const item of items.values()) {
      if (this.#looked.has(item)) continue;
      this.#looked.add(item);
      const text = wordsOf(item);
      if (text === null) continue;
      const told = this.#told.get(item.id);
      if (told === undefined && !asks(item)) continue;
      this.#told.set(item.id, text);
      if (told === undefined ? !quiet : told !== text) this.#later(text);
    }
  }

  #later(text: string): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.say(text), PAUSE_MS);
  }
}

/** What is said of an item; null of one that never asks. */
function wordsOf(item: ThreadItem): string | null {
  if (item.type === "widget") return item.copy_text ?? "";
  return item.type === "structured_input" ? becameOf(item) : null;
}
