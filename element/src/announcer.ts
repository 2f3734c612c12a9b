/** Says aloud, in whole sentences, what an answer says while it streams. */

import { h } from "./dom";

const PAUSE_MS = 700;

export class Announcer {
  readonly node = h("div", { class: "hidden", "aria-live": "polite", "data-part": "announcer" });
  #id = "";
  #said = 0;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #text = "";
  #whole = false;

  /** The text so far of the message `id`, of which more will come. */
  tell(id: string, text: string): void {
    if (id !== this.#id) this.#said = 0;
    this.#id = id;
    this.#later(text, false);
  }

  /** The message is whole; one that was never told while it grew is not told now. */
  finish(id: string, text: string): void {
    if (id === this.#id && text.length > this.#said) this.#later(text, true);
  }

  #later(text: string, whole: boolean): void {
    this.#text = text;
    this.#whole = whole;
    this.#timer ??= setTimeout(() => this.#speak(), PAUSE_MS);
  }

  #speak(): void {
    this.#timer = null;
    const end = this.#whole ? this.#text.length : endOfSentence(this.#text);
    if (end <= this.#said) return;
    this.node.textContent = this.#text.slice(this.#said, end).trim();
    this.#said = end;
  }
}

function endOfSentence(text: string): number {
  return Math.max(...[". ", "! ", "? ", ": ", "\n"].map((mark) => text.lastIndexOf(mark) + 1));
}
