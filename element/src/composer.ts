/** Where the person writes. */

import type { ChatKitOptions } from "@openai/chatkit";
import { h } from "./dom";
import { Extras, type ComposerValue, type Desk, type Extra, type Held } from "./extras";
import { items, listbox, prose } from "./further";
import { icon } from "./icons";
import { onScreen } from "./keyboard";
import type { Listbox, Offered } from "./listbox";
import { IntegrationError } from "./options";
import type { Outgoing, Session } from "./session";
import { strings } from "./strings";

/** What the composer tells. */
export interface Heard {
  send(message: Outgoing): void;
  open(address: string): void;
  /** The person has written. */
  wrote(text: string): void;
  emit(name: string, detail?: unknown): void;
  failed(error: unknown): void;
}

export class Composer {
  readonly node = h("footer", { class: "composer" });
  readonly extras: Extras;
  readonly #text = h("textarea", { rows: 1, dir: "auto", "aria-label": strings.message });
  readonly #button = h("button", { type: "submit", class: "filled round" });
  readonly #form = h("form");
  readonly #reason = h("p", { class: "reason", role: "status" });
  readonly #note = h("p", { class: "note", role: "status" });
  readonly #aloud = h("p", { class: "hidden", role: "status" });
  readonly #disclaimer = h("div", { class: "disclaimer prose" });
  #list: Listbox | null = null;
  #offered: Offered | null = null;
  /** Whose list it is, by its boxes: nobody else closes it. */
  #offers: object | null = null;

  constructor(
    private readonly session: Session,
    private readonly options: () => ChatKitOptions,
    private readonly on: Heard,
  ) {
    this.extras = new Extras((boxes) => this.#desk(boxes));
    const { above, start, end } = this.extras;
    this.#form.append(above, this.#text, start, end, this.#button);
    this.node.append(this.#form, this.#note, this.#aloud, this.#reason, this.#disclaimer);
    this.#text.addEventListener("input", () => {
      this.#note.textContent = "";
      this.on.wrote(this.value);
      this.#written();
    });
    this.#text.addEventListener("keydown", (event) => this.#pressed(event));
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (this.session.busy) void this.session.stop();
      else this.submit();
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
    // what was said was of another text
    this.note("");
    this.#written();
  }

  focus(): void {
    this.#text.focus();
  }

  /** Tells the person something about what they tried; gone with the next letter. */
  note(text: string): void {
    this.#note.textContent = text;
  }

  /** What is held for the message beside its text is not held any more; it can be put back. */
  take(): Held {
    return this.extras.take();
  }

  put(held: Held | null): void {
    this.extras.put(held);
  }

  /** Hands each part of it to the extra that takes it. Throws IntegrationError. */
  async set(value: ComposerValue): Promise<void> {
    const takers = new Set<Extra>();
    for (const [name, part] of Object.entries(value)) {
      if (part === undefined) continue;
      const extra = this.options() && (await this.extras.of(name));
      if (!extra?.set) throw new IntegrationError(`setComposerValue can't set ${name} here.`);
      takers.add(extra);
    }
    for (const extra of takers) extra.set?.(value);
  }

  draw(options: ChatKitOptions): void {
    const { composer, disclaimer } = options;
    const { busy, stopping, state, over } = this.session;
    const status = state.thread?.status ?? { type: "active" as const };
    const closed = status.type === "closed";
    const locked = status.type === "locked" || over;
    this.#form.hidden = closed || over;
    this.#text.disabled = locked || closed;
    this.#text.enterKeyHint = onScreen() ? "enter" : "send";
    this.#text.placeholder =
      this.extras.placeholder ?? composer?.placeholder ?? strings.placeholder;
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
    if (disclaimer) prose(this.#disclaimer, disclaimer.text, this.on.open);
    this.extras.draw(options);
    this.#fit();
  }

  #pressed(event: KeyboardEvent): void {
    const taken = this.#list?.key(event) || this.#keyOfExtra(event);
    if (taken) {
      event.stopPropagation();
      return event.preventDefault();
    }
    if (event.key !== "Enter" || event.shiftKey) return;
    // there Enter is the only way to a new line
    if (onScreen() && !event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    // while an answer runs the button stops it; what is being written waits
    if (!this.session.busy) this.#form.requestSubmit();
  }

  #keyOfExtra(event: KeyboardEvent): boolean {
    return [...this.extras.all].some((extra) => extra.key?.(event));
  }

  /** Sends what stands there, or says why that has to wait; false: there is nothing to send. */
  submit(): boolean {
    const { waits } = this.extras;
    this.note(waits ?? "");
    if (waits || this.#button.disabled) return !!waits;
    const written = this.value.trim();
    const { content = [{ type: "input_text" as const, text: written }], ...more } =
      this.extras.brings(this.value);
    this.on.send({ content, written, ...more });
    return true;
  }

  #written(): void {
    for (const extra of this.extras.all) extra.written?.();
    this.#fit();
  }

  /** The button fits what is written, and so does the height. */
  #fit(): void {
    const { busy, stopping, loading, state } = this.session;
    this.#button.disabled = busy
      ? stopping || !state.allowCancel
      : loading || this.#text.disabled || (!this.value.trim() && !this.extras.enough);
    // as tall as the text, up to the limit in the style sheet
    if (CSS.supports("field-sizing", "content")) return;
    this.#text.style.height = "auto";
    this.#text.style.height = `${this.#text.scrollHeight}px`;
  }

  #desk(boxes: Pick<Desk, "above" | "start" | "end">): Desk {
    const [text, extras] = [this.#text, this.extras];
    return {
      ...boxes,
      session: this.session,
      options: this.options,
      get value() {
        return text.value;
      },
      get selection() {
        return [text.selectionStart, text.selectionEnd] as const;
      },
      get locked() {
        return text.disabled;
      },
      replace: (start, end, by) => this.#replace(start, end, by),
      insert: (by) => this.#replace(text.selectionStart, text.selectionEnd, by),
      focus: () => this.focus(),
      note: (said) => this.note(said),
      announce: (said) => (this.#aloud.textContent = said),
      offer: (list) => {
        if (!list && this.#offers !== boxes) return;
        this.#offers = list && boxes;
        void this.#offer(list);
      },
      taking: (name) => extras.of(name),
      get all() {
        return extras.all;
      },
      changed: () => this.draw(this.options()),
      emit: this.on.emit,
      failed: this.on.failed,
      paint: (host, widget) => items.part?.drawPreview(host, widget, this.on.open),
    };
  }

  #replace(start: number, end: number, by: string): void {
    this.focus();
    this.#text.setSelectionRange(start, end);
    // the only way that can be undone
    if (start === end && !by) return;
    if (document.execCommand(by ? "insertText" : "delete", false, by)) return;
    this.#text.setRangeText(by, start, end, "end");
    this.#text.dispatchEvent(new InputEvent("input", { bubbles: true }));
  }

  async #offer(offered: Offered | null): Promise<void> {
    this.#offered = offered;
    if (!offered && !this.#list) return;
    const part = listbox.part ?? (await listbox.load());
    if (this.#offered !== offered) return;
    if (!part) return this.note(strings.unlisted);
    // by then the person may be elsewhere
    if (offered && !offered.button && !this.#text.matches(":focus")) return this.#offer(null);
    if (!this.#list) {
      this.#list = new part.Listbox(this.#text);
      this.#form.append(this.#list.node);
    }
    this.#list.show(offered);
  }
}
