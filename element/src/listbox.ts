/** A list from which one is chosen, by arrows or a click: above the text that is written, or of a button. */

import { h } from "./dom";
import { icon } from "./icons";
import styles from "./listbox.css";

export { styles };

/** One that can be chosen. */
export interface Choice {
  id: string;
  label: string;
  description?: string | undefined;
  icon?: string | undefined;
  /** Those that follow each other with the same one stand under it. */
  group?: string | undefined;
  disabled?: boolean | undefined;
  /** Marked as the one that holds now. */
  chosen?: boolean | undefined;
}

export interface Offered {
  /** What it is a list of: how a screen reader names it. */
  label: string;
  choices: readonly Choice[];
  /** What stands there besides: that it is searched for, that nothing was found, what went wrong. */
  said?: string | undefined;
  pick(choice: Choice): void;
  /** It was closed without a choice: by Escape, by Tab, by a click elsewhere. */
  left?(): void;
  /** Tab chooses too. */
  tab?: boolean;
  /** The button whose list it is: then the keys are the list's. Without it they stay the text's. */
  button?: HTMLElement;
}

/** So high it may be at least, without covering the text. */
const LEAST_PX = 180;
const APART_PX = 6;

export class Listbox {
  readonly node = h("div", { class: "listbox", hidden: true });
  readonly #list = h("ul", { role: "listbox", id: "listbox", tabindex: -1 });
  readonly #said = h("p", { class: "caption", role: "status" });
  #offered: Offered | null = null;
  #at = 0;
  /** The person has gone from the first to another. */
  #moved = false;

  constructor(private readonly text: HTMLTextAreaElement) {
    this.node.append(this.#list, this.#said);
    // the text keeps the focus
    this.node.addEventListener("mousedown", (event) => event.preventDefault());
    this.node.addEventListener("click", (event) => {
      const row = (event.target as Element).closest("[role=option]");
      if (row) this.#pick(this.#rows.indexOf(row as HTMLElement));
    });
    this.#list.addEventListener("keydown", (event) => {
      if (!this.key(event)) return;
      event.preventDefault();
      event.stopPropagation();
    });
    for (const keys of [this.#list, text])
      keys.addEventListener("focusout", () => {
        if (keys === (this.#offered?.button ? this.#list : text)) this.#leave();
      });
  }

  show(offered: Offered | null): void {
    const before = this.#offered;
    if (before?.button && before !== offered) this.#closed(before);
    this.#offered = offered;
    this.node.hidden = !offered;
    this.#moved &&= before?.label === offered?.label;
    if (offered) {
      this.#draw(offered);
      this.#stand();
    }
    this.#point();
    if (!offered?.button) return;
    offered.button.ariaExpanded = "true";
    this.#list.focus();
  }

  /** A key while it is open; true: it was meant for the list. */
  key(event: KeyboardEvent): boolean {
    const offered = this.#offered;
    if (!offered || event.ctrlKey || event.metaKey || event.altKey) return false;
    switch (event.key) {
      case "Escape":
        this.#leave();
        offered.button?.focus();
        return true;
      case "Tab":
        if (offered.tab && !event.shiftKey && offered.choices.length) {
          this.#pick(this.#at);
          return true;
        }
        this.#leave();
        // on from the button, as from any
        offered.button?.focus();
        return false;
      case "Enter":
        if (event.shiftKey || !offered.choices.length) return false;
        this.#pick(this.#at);
        return true;
      case " ":
        if (offered.button) this.#pick(this.#at);
        return !!offered.button;
      case "Home":
      case "End":
        if (!offered.button) return false;
        this.#at = event.key === "Home" ? -1 : 0;
        this.#move(event.key === "Home" ? 1 : -1);
        return true;
      case "ArrowDown":
      case "ArrowUp":
        if (event.shiftKey) return false;
        this.#move(event.key === "ArrowDown" ? 1 : -1);
        return true;
      default:
        return false;
    }
  }

  get #rows(): HTMLElement[] {
    return [...this.#list.querySelectorAll<HTMLElement>("[role=option]")];
  }

  #draw({ label, choices, said }: Offered): void {
    const kept = this.#moved ? this.#rows[this.#at]?.dataset.choice : undefined;
    this.#list.ariaLabel = label;
    this.#list.hidden = !choices.length;
    this.#list.replaceChildren(...grouped(choices));
    const found = choices.findIndex(({ id, chosen }) => (this.#moved ? id === kept : chosen));
    this.#at = Math.max(0, found);
    this.#said.hidden = !said;
    if (this.#said.textContent !== (said ?? "")) this.#said.textContent = said ?? "";
  }

  /** Within the chat; where there is little room above the composer, over what stands above the text. */
  #stand(): void {
    const top = (node: Element) => node.getBoundingClientRect().top;
    const edge = Math.max(0, top(this.text.closest(".chat")!)) + 2 * APART_PX;
    const [room, most] = [top(this.text.form!) - edge, top(this.text) - edge];
    const high = Math.max(room, Math.min(LEAST_PX, most));
    this.node.style.maxBlockSize = `min(20em, 40vh, ${high}px)`;
    const over = Math.max(0, this.node.offsetHeight - room);
    this.node.style.insetBlockEnd = `calc(100% + ${APART_PX - over}px)`;
  }

  #move(step: number): void {
    const { length } = this.#rows;
    if (length) this.#at = (this.#at + step + length) % length;
    this.#moved = true;
    this.#point();
  }

  /** Marks the one that Enter would choose, for the eye and for a screen reader. */
  #point(): void {
    const rows = this.#rows;
    rows.forEach((row, i) => row.classList.toggle("active", i === this.#at));
    const row = this.#offered ? rows[this.#at] : undefined;
    row?.scrollIntoView({ block: "nearest" });
    const holder = this.#offered?.button ? this.#list : this.text;
    for (const other of [this.#list, this.text]) {
      if (row && other === holder) other.setAttribute("aria-activedescendant", row.id);
      else other.removeAttribute("aria-activedescendant");
    }
    const open = this.#offered && !this.#offered.button;
    for (const [name, value] of [
      ["aria-controls", "listbox"],
      ["aria-autocomplete", "list"],
    ] as const)
      if (open) this.text.setAttribute(name, value);
      else this.text.removeAttribute(name);
  }

  #pick(at: number): void {
    const offered = this.#offered;
    const choice = offered?.choices[at];
    if (!choice || choice.disabled) return;
    this.show(null);
    offered!.button?.focus();
    offered!.pick(choice);
  }

  #leave(): void {
    const offered = this.#offered;
    if (!offered) return;
    this.show(null);
    offered.left?.();
  }

  #closed({ button }: Offered): void {
    if (button) button.ariaExpanded = "false";
  }
}

function grouped(choices: readonly Choice[]): HTMLElement[] {
  const nodes: HTMLElement[] = [];
  let group: string | undefined;
  let within: HTMLElement | null = null;
  choices.forEach((choice, i) => {
    if (choice.group !== group) {
      group = choice.group;
      within = group ? h("ul", { role: "group", "aria-label": group }) : null;
      if (within) nodes.push(h("li", { role: "presentation" }, named(group!), within));
    }
    (within ? within.appendChild.bind(within) : nodes.push.bind(nodes))(row(choice, i));
  });
  return nodes;
}

const named = (group: string): HTMLElement =>
  h("span", { class: "caption", "aria-hidden": "true" }, group);

function row({ id, label, description, icon: name, disabled, chosen }: Choice, at: number) {
  const attributes = {
    role: "option",
    id: `option-${at}`,
    "data-choice": id,
    "aria-selected": String(chosen ?? false),
    "aria-disabled": disabled ? "true" : null,
  };
  const words = h(
    "span",
    { class: "words", dir: "auto" },
    h("span", {}, label),
    description ? h("span", { class: "caption" }, description) : null,
  );
  return h("li", attributes, name ? icon(name) : null, words, chosen ? icon("check") : null);
}
