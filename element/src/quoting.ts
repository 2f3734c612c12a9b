/** Quoting: what is selected in an answer goes along with the next message. */

import { h, place } from "./dom";
import type { Brought, ComposerValue, Desk, Extra } from "./extras";
import { icon, iconButton } from "./icons";
import styles from "./quoting.css";

export { styles };

const WORDS = {
  quote: "Quote",
  quoted: "Quoted",
  remove: "Remove the quote",
  removed: "The quote was removed.",
};
const ANSWER = '[data-item-type="assistant_message"]';
/** So far from what is selected the button stands. */
const APART_PX = 8;

export const extra = (desk: Desk): Extra => new Quoting(desk);

class Quoting implements Extra {
  #quote: string | null = null;
  /** What the button would quote. */
  #selected = "";
  readonly #button = h("button", { type: "button", class: "plain to-quote", hidden: true });
  readonly #root: ShadowRoot;
  readonly #scroll: HTMLElement;

  constructor(private readonly desk: Desk) {
    this.#root = desk.above.getRootNode() as ShadowRoot;
    this.#scroll = this.#root.querySelector<HTMLElement>(".scroll")!;
    this.#button.append(icon("chat"), WORDS.quote);
    // what is selected stays so
    this.#button.addEventListener("mousedown", (event) => event.preventDefault());
    this.#button.addEventListener("click", () => this.#hold(this.#selected, true));
    this.#scroll.append(this.#button);
    this.#root.addEventListener("keydown", (event) => this.#key(event as KeyboardEvent));
    this.#look();
  }

  draw(): void {
    // as long as it is in the page
    document.addEventListener("selectionchange", this.#look);
    const quote = this.#quote;
    if (!quote) return place(this.desk.above, []);
    const shown = this.desk.above.querySelector("blockquote");
    if (shown?.textContent === quote) return;
    const remove = iconButton("close", WORDS.remove);
    remove.addEventListener("click", () => this.#hold(null, true));
    const words = h("blockquote", { dir: "auto", tabindex: 0, "aria-label": WORDS.quoted }, quote);
    place(this.desk.above, [h("div", { class: "quoting" }, icon("chat"), words, remove)]);
  }

  brings(): Brought {
    return this.#quote ? { quote: this.#quote } : {};
  }

  take(): string | null {
    const quote = this.#quote;
    this.#hold(null);
    return quote;
  }

  put(held: string | null): void {
    this.#hold(held ?? this.#quote);
  }

  set({ reply }: ComposerValue): void {
    this.#hold(reply?.trim() || null);
  }

  #hold(quote: string | null, byPerson = false): void {
    this.#quote = quote;
    this.#button.hidden = true;
    this.desk.changed();
    if (!byPerson) return;
    this.desk.focus();
    this.desk.announce(quote ? WORDS.quoted : WORDS.removed);
  }

  /** By the keyboard the button follows what is selected, wherever it stands in the page. */
  #key(event: KeyboardEvent): void {
    const { activeElement } = this.#root;
    const writes = activeElement && this.desk.above.closest("form")!.contains(activeElement);
    if (this.#button.hidden || event.defaultPrevented || writes) return;
    const there = activeElement === this.#button;
    if (event.key === "Tab" && !event.shiftKey && !there) {
      event.preventDefault();
      this.#button.focus();
    } else if (event.key === "Escape") {
      event.stopPropagation();
      this.#button.hidden = true;
    }
  }

  readonly #look = (): void => {
    if (!this.#root.host.isConnected)
      return document.removeEventListener("selectionchange", this.#look);
    const found = this.desk.locked ? null : selectedIn(this.#root);
    // a click on the button may take the selection away
    if (!found && this.#root.activeElement === this.#button) return;
    const was = this.#button.hidden;
    this.#selected = found?.text ?? "";
    this.#button.hidden = !found;
    if (!found) return;
    const { left, bottom } = found.range.getBoundingClientRect();
    const edge = this.#scroll.getBoundingClientRect();
    const most = this.#scroll.clientWidth - this.#button.offsetWidth - APART_PX;
    const at = Math.max(APART_PX, Math.min(left - edge.left, most));
    this.#button.style.left = `${at}px`;
    this.#button.style.top = `${bottom - edge.top + this.#scroll.scrollTop + APART_PX}px`;
    if (was) this.desk.announce(`${WORDS.quote}: Tab`);
  };
}

interface Selected {
  text: string;
  range: Range;
}

/** What is selected of an answer; null: nothing, or something else. */
function selectedIn(root: ShadowRoot): Selected | null {
  const selection = selectionIn(root);
  const range = selection && rangeOf(selection, root);
  if (!selection || !range || range.collapsed) return null;
  const answer = elementOf(range.startContainer)?.closest(`article${ANSWER}`);
  if (!answer || !root.contains(answer)) return null;
  if (!answer.contains(range.endContainer)) range.setEnd(answer, answer.childNodes.length);
  const text = wordsOf(range);
  return text ? { text, range } : null;
}

/** Its text, block by block, without what can be pressed. */
function wordsOf(range: Range): string {
  const part = range.cloneContents();
  for (const other of part.querySelectorAll("button, figcaption, .sources")) other.remove();
  for (const block of part.querySelectorAll("p, li, pre, tr, h1, h2, h3, h4, h5, h6"))
    block.append("\n");
  for (const cell of part.querySelectorAll("td, th")) cell.append(" ");
  return part.textContent!.trim().replace(/\n{2,}/g, "\n\n");
}

/** Chromium has one for each shadow tree, others have the document's. */
function selectionIn(root: ShadowRoot): Selection | null {
  const own = (root as { getSelection?: () => Selection | null }).getSelection;
  return own ? own.call(root) : document.getSelection();
}

function rangeOf(selection: Selection, root: ShadowRoot): Range | null {
  const { getComposedRanges: composed } = selection as Partial<Selection>;
  const first = () => (selection.rangeCount ? selection.getRangeAt(0) : null);
  const found = composed ? composed.call(selection, { shadowRoots: [root] })[0] : first();
  if (!found) return null;
  const range = document.createRange();
  range.setStart(found.startContainer, found.startOffset);
  range.setEnd(found.endContainer, found.endOffset);
  return range;
}

function elementOf(node: Node): Element | null {
  return node instanceof Element ? node : node.parentElement;
}
