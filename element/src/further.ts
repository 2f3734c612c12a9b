/** Parts of the element in files of their own beside its script, loaded when they are first needed. */

import { lent } from "./lent";
import { scriptUrl } from "./script";

/** The name of each part's file, which the build writes in. */
declare const FURTHER: { items: string };

const PAUSES_MS = [0, 1_000, 4_000];

class Further<Part> {
  /** Null until it is there. */
  part: Part | null = null;
  #loading: Promise<boolean> | null = null;

  constructor(private readonly file: string) {}

  /** Whether it is there in the end. */
  load(): Promise<boolean> {
    this.#loading ??= this.#load().finally(() => (this.#loading = null));
    return this.#loading;
  }

  async #load(): Promise<boolean> {
    for (const [tried, pause] of PAUSES_MS.entries()) {
      if (this.part) break;
      if (pause) await new Promise((go) => setTimeout(go, pause));
      await this.#try(tried);
    }
    return this.part !== null;
  }

  async #try(tried: number): Promise<void> {
    const address = new URL(this.file, new URL(scriptUrl ?? "/page/", document.baseURI));
    // a browser may remember that an address has failed
    if (tried) address.search = `again=${tried}`;
    try {
      const { default: make } = await import(address.href);
      this.part = make(lent) as Part;
    } catch (error) {
      console.warn(`chatkit: ${address.href} can't be loaded.`, error);
    }
  }
}

/** What draws items, and Markdown. */
export const items = new Further<typeof import("./items")>(FURTHER.items);

/** Shows a text that may be Markdown; as it was written while what draws it is not there. */
export function prose(host: HTMLElement, text: string, open: (address: string) => void): void {
  if (items.part) items.part.renderMarkdown(host, text, open);
  else host.textContent = text;
}
