/** What stands in brackets: links, pictures and notes. */

import { linkAttributes, readTarget, type Target } from "./address";
import type { Part } from "./parts";
import { endOfLabel, labelOf, type References } from "./references";
import { pair, type Run } from "./runs";
import { Scanner } from "./scanner";
import { element, PICTURE, text } from "./tree";

interface Bracket {
  part: Part;
  /** How many parts there are with it. */
  index: number;
  image: boolean;
  at: number;
  /** How many runs stand before it. */
  runs: number;
  /** There is another in it: what it holds is no label. */
  holds: boolean;
}

export abstract class Brackets extends Scanner {
  protected runs: Run[] = [];
  protected brackets: Bracket[] = [];
  /** Brackets below this place stand around a link: they cannot be one. */
  #around = 0;

  constructor(
    source: string,
    growing: boolean,
    protected readonly references: References,
  ) {
    super(source, growing);
  }

  protected readOpening(image: boolean): boolean {
    const at = this.at;
    const mark = image ? "![" : "[";
    const part = this.take(at + mark.length, { text: mark });
    this.made++;
    const around = this.brackets.at(-1);
    if (around) around.holds = true;
    const index = this.parts.length;
    this.brackets.push({ part, index, image, at, runs: this.runs.length, holds: false });
    return true;
  }

  protected readClosing(): boolean {
    const bracket = this.brackets.pop();
    if (!bracket) return false;
    const dead = !bracket.image && this.brackets.length < this.#around;
    this.#around = Math.min(this.#around, this.brackets.length);
    const note = bracket.image || bracket.holds ? null : this.#note(bracket.at);
    if (note) return this.#readNote(bracket, note);
    const target = dead ? null : this.#target();
    const found = target === "unfinished" || dead ? null : target;
    const leads = found ?? (dead ? null : this.#referred(bracket));
    if (leads) {
      this.#link(bracket, leads);
      return true;
    }
    if (target !== "unfinished" || !this.growing || !this.isNear(bracket.at)) return false;
    bracket.part.text = "";
    this.take(this.source.length);
    return true;
  }

  /** The number of the note that `[^label]` refers to. */
  #note(at: number): number | undefined {
    if (this.source.charAt(at + 1) !== "^") return undefined;
    return this.references.notes.get(labelOf(this.source.slice(at + 2, this.at)));
  }

  #readNote(bracket: Bracket, note: number): boolean {
    bracket.part.text = "";
    this.parts.length = bracket.index;
    this.runs.length = bracket.runs;
    this.plain = this.at;
    this.take(this.at + 1, { leaf: element("sup", [text(`${note}`)]) });
    return true;
  }

  #target(): Target | "unfinished" | null {
    const next = this.at + 1;
    if (this.source.charAt(next) === "(") return readTarget(this.source, next);
    return next === this.source.length ? "unfinished" : null;
  }

  /** Where `[text][label]`, `[label][]` and `[label]` lead, if that is said elsewhere. */
  #referred(bracket: Bracket): Target | null {
    const { links } = this.references;
    if (!links.size) return null;
    const next = this.at + 1;
    const close = this.source.charAt(next) === "[" ? endOfLabel(this.source, next) : null;
    const named = close !== null && close > next + 1;
    const from = bracket.at + (bracket.image ? 2 : 1);
    if (!named && (bracket.holds || this.at - from > 999)) return null;
    const label = named ? this.source.slice(next + 1, close) : this.source.slice(from, this.at);
    const found = links.get(labelOf(label));
    return found ? { ...found, end: close === null ? next : close + 1 } : null;
  }

  /** An unsafe link is its text alone; an image is a link to it. */
  #link(bracket: Bracket, { address, title, end }: Target): void {
    pair(this.runs.splice(bracket.runs));
    const attributes = linkAttributes(address, title);
    const nameless = bracket.image && this.at === bracket.at + 2;
    const part = this.take(end, { text: nameless ? address : "" });
    bracket.part.text = "";
    if (attributes && bracket.image && attributes.href) attributes[PICTURE] = attributes.href;
    if (attributes) {
      bracket.part.opens.push({ tag: "a", attributes });
      if (nameless) {
        part.text = "";
        bracket.part.opens.length = 0;
        part.leaf = element("a", [text(address)], attributes);
      } else {
        part.closes = 1;
      }
    }
    if (!bracket.image) this.#around = this.brackets.length;
  }

  protected hideBracket(): void {
    const last = this.brackets.at(-1);
    if (last && this.isNear(last.at)) last.part.text = "";
  }
}
