/** Says aloud what a card asks, and what became of it. */

import type { ThreadItem } from "./protocol";

/** How a chatbridge calls what asks on a card. */
const ASKED = '"chatbridge-asked"';
/** What changes several times meanwhile is said once. */
const PAUSE_MS = 700;

/** Whether a card asks something of the person. */
export const asks = (item: ThreadItem): boolean =>
  item.type === "widget" && JSON.stringify(item.widget).includes(ASKED);

export class Cards {
  #told = new Map<string, string>();
  #looked = new WeakSet<ThreadItem>();
  #loading = false;
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor(private readonly say: (text: string) => void) {}

  /** What is there when a thread has been loaded is left to the reader. */
  look(items: ReadonlyMap<string, ThreadItem>, loading: boolean): void {
    const quiet = this.#loading;
    this.#loading = loading;
    for (const item of items.values()) {
      if (item.type !== "widget" || this.#looked.has(item)) continue;
      this.#looked.add(item);
      const told = this.#told.get(item.id);
      const text = item.copy_text ?? "";
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
