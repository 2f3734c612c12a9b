/** Where the person writes. */

import type { ChatKitOptions } from "@openai/chatkit";
import { h } from "./dom";
import { prose } from "./further";
import { icon } from "./icons";
import { onScreen } from "./keyboard";
import type { Session } from "./session";
import { strings } from "./strings";

export class Composer {
  readonly node = h("footer", { class: "composer" });
  readonly #text = h("textarea", { rows: 1, dir: "auto", "aria-label": strings.message });
  readonly #button = h("button", { type: "submit", class: "filled round" });
  readonly #form = h("form", {}, this.#text, this.#button);
  readonly #reason = h("p", { class: "reason", role: "status" });
  readonly #note = h("p", { class: "note", role: "status" });
  readonly #disclaimer = h("div", { class: "disclaimer prose" });

  constructor(
    private readonly session: Session,
    private readonly send: (text: string) => void,
    private readonly open: (address: string) => void,
    private readonly wrote: (text: string) => void,
  ) {
    this.node.append(this.#form, this.#note, this.#reason, this.#disclaimer);
    this.#text.addEventListener("input", () => {
      this.#note.textContent = "";
      this.wrote(this.value);
      this.#written();
    });
    this.#text.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey) return;
      // there Enter is the only way to a new line
      if (onScreen() && !event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      // while an answer runs the button stops it; what is being written waits
      if (!this.session.busy) this.#form.requestSubmit();
    });
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (this.session.busy) void this.session.stop();
      else this.#submit();
    });
    // a click beside the text is meant for it
    this.#form.addEventListener("click", (event) => {
      if (event.target === this.#form) this.focus();
    });
  }

  get value(): string {
    return this.#text.value;
  }

  set value(text: string) {
    this.#text.value = text;
    this.#written();
  }

  focus(): void {
    this.#text.focus();
  }

  /** Tells the person something about what they tried; gone with the next letter. */
  note(text: string): void {
    this.#note.textContent = text;
  }

  draw({ composer, disclaimer }: ChatKitOptions): void {
    const { busy, stopping, state, over } = this.session;
    const status = state.thread?.status ?? { type: "active" as const };
    const closed = status.type === "closed";
    const locked = status.type === "locked" || over;
    this.#form.hidden = closed || over;
    this.#text.disabled = locked;
    this.#text.enterKeyHint = onScreen() ? "enter" : "send";
    this.#text.placeholder = composer?.placeholder ?? strings.placeholder;
    this.#reason.hidden = over || (!closed && !locked);
    const reason = "reason" in status ? status.reason : null;
    this.#reason.textContent = reason || (closed ? strings.closed : locked ? strings.locked : "");
    // an answer that its server lets nobody stop
    this.#button.hidden = busy && !state.allowCancel;
    const label = busy ? (stopping ? strings.stopping : strings.stop) : strings.send;
    if (this.#button.getAttribute("aria-label") !== label) {
      this.#button.setAttribute("aria-label", label);
      this.#button.title = label;
      this.#button.replaceChildren(icon(busy ? "stop" : "send"));
    }
    this.#disclaimer.hidden = !disclaimer;
    this.#disclaimer.classList.toggle("contrast", disclaimer?.highContrast ?? false);
    if (disclaimer) prose(this.#disclaimer, disclaimer.text, this.open);
    this.#written();
  }

  #submit(): void {
    const text = this.value.trim();
    this.#note.textContent = "";
    if (text && !this.#button.disabled) this.send(text);
  }

  #written(): void {
    const { busy, stopping, loading, state } = this.session;
    this.#button.disabled = busy
      ? stopping || !state.allowCancel
      : loading || this.#text.disabled || !this.value.trim();
    // as tall as the text, up to the limit in the style sheet
    if (CSS.supports("field-sizing", "content")) return;
    this.#text.style.height = "auto";
    this.#text.style.height = `${this.#text.scrollHeight}px`;
  }
}
