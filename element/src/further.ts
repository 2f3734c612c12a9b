/** Parts of the element in files of their own beside its script, loaded when they are first needed. */

import { lent } from "./lent";
import { scriptUrl } from "./script";

/** The name of each part's file, which the build writes in. */
declare const FURTHER: Readonly<Record<string, string>>;

const PAUSES_MS = [0, 1_000, 4_000];

/** What each of them has. */
interface Styled {
  readonly styles: string;
}

/** All of them, in the order of their styles. */
export const all: Further<Styled>[] = [];

export class Further<Part extends Styled> {
  /** Null until it is there. */
  part: Part | null = null;
  /** Its style, which is empty until then. */
  readonly sheet = new CSSStyleSheet();
  #loading: Promise<Part | null> | null = null;

  constructor(private readonly name: string) {
    all.push(this);
  }

  /** Itself, if it is there in the end. */
  load(): Promise<Part | null> {
    this.#loading ??= this.#load().finally(() => (this.#loading = null));
    return this.#loading;
  }

  async #load(): Promise<Part | null> {
    for (const [tried, pause] of PAUSES_MS.entries()) {
      if (this.part) break;
      if (pause) await new Promise((go) => setTimeout(go, pause));
      await this.#try(tried);
    }
    return this.part;
  }

  async #try(tried: number): Promise<void> {
    const address = new URL(FURTHER[this.name]!, new URL(scriptUrl ?? "/page/", document.baseURI));
    // a browser may remember that an address has failed
    if (tried) address.search = `again=${tried}`;
    try {
      const { default: make } = await import(address.href);
      const part = make(lent) as Part;
      this.sheet.replaceSync(part.styles);
      this.part = part;
    } catch (error) {
      console.warn(`chatkit: ${address.href} can't be loaded.`, error);
    }
  }
}

export const history = new Further<typeof import("./history")>("history");
export const listbox = new Further<typeof import("./listbox")>("listbox");

/** What the composer may hold beyond its text (extras.ts says when), as it stands there. */
export const composing = {
  attaching: new Further<typeof import("./attaching")>("attaching"),
  tagging: new Further<typeof import("./tagging")>("tagging"),
  quoting: new Further<typeof import("./quoting")>("quoting"),
  menus: new Further<typeof import("./menus")>("menus"),
  commands: new Further<typeof import("./commands")>("commands"),
  dictating: new Further<typeof import("./dictating")>("dictating"),
};

/** What draws items, and Markdown; and how all looks on paper. */
export const items = new Further<typeof import("./items")>("items");

/** Shows a text that may be Markdown; as it was written while what draws it is not there. */
export function prose(host: HTMLElement, text: string, open: (address: string) => void): void {
  if (items.part) items.part.renderMarkdown(host, text, open);
  else host.textContent = text;
}
