/** Markdown within a block: text -> trees, by CommonMark's delimiter runs and in linear time. */

import { decode, linkAttributes, readAddress, readTarget, type Target } from "./address";
import { withHost } from "./host";
import { assemble, newPart, type Part } from "./parts";
import { closeAt, isMark, pair, readRun, type Run } from "./runs";
import { element, text, type Tree } from "./tree";

/** As far back as a text that still grows may have opened what it has not closed yet. */
const REACH = 200;

interface Bracket {
  part: Part;
  image: boolean;
  at: number;
  /** How many runs stand before it. */
  runs: number;
}

/** The inlines of a block; in one that still grows, what is open is shown as if it were closed. */
export function parseInline(source: string, growing: boolean): Tree[] {
  return new Parser(growing ? withoutLoose(source) : source, growing).parse();
}

/** A growing text without the marks at its end: what they will mean is not yet known. */
function withoutLoose(source: string): string {
  let end = source.length;
  while (end && "*_~`".includes(source.charAt(end - 1))) end--;
  if (source.charAt(end - 1) === "\\") end--;
  return source.slice(0, end);
}

class Parser {
  #source: string;
  #growing: boolean;
  #at = 0;
  /** Where the plain text begins that is not yet a part. */
  #plain = 0;
  #parts: Part[] = [];
  #runs: Run[] = [];
  #brackets: Bracket[] = [];
  /** Brackets below this place stand around a link: they cannot be one. */
  #around = 0;

  constructor(source: string, growing: boolean) {
    this.#source = source;
    this.#growing = growing;
  }

  parse(): Tree[] {
    while (this.#at < this.#source.length) {
      if (!this.#step(this.#source.charAt(this.#at))) this.#at++;
    }
    this.#flush();
    if (this.#growing) this.#hideBracket();
    const left = pair(this.#runs);
    if (this.#growing) this.#closeRuns(left);
    return assemble(this.#parts).flatMap(withHost);
  }

  /** Reads what begins with a character; false if that is plain text. */
  #step(char: string): boolean {
    switch (char) {
      case "\\":
        return this.#readEscape();
      case "`":
        return this.#readCode();
      case "*":
      case "_":
      case "~":
        return this.#readRun(char);
      case "!":
        return this.#source.charAt(this.#at + 1) === "[" && this.#readOpening(true);
      case "[":
        return this.#readOpening(false);
      case "]":
        return this.#readClosing();
      case "<":
        return this.#readAngle();
      case "&":
        return this.#readEntity();
      case "\n":
        return this.#readBreak();
      case "h":
      case "H":
        return this.#readBareAddress();
      default:
        return false;
    }
  }

  /** Makes the plain text so far a part, and goes on after `end`. */
  #take(end: number, part: Partial<Part> = {}): Part {
    this.#flush();
    this.#at = this.#plain = end;
    const taken = { ...newPart(), ...part };
    this.#parts.push(taken);
    return taken;
  }

  #flush(end = this.#at): void {
    const plain = this.#source.slice(this.#plain, end);
    if (plain) this.#parts.push(newPart(plain));
    this.#plain = this.#at;
  }

  #readEscape(): boolean {
    const next = this.#source.charAt(this.#at + 1);
    if (next === "\n") this.#take(this.#at + 2, { leaf: element("br") });
    else if (isMark(next) && next < "\x7f") this.#take(this.#at + 2, { text: next });
    else return false;
    return true;
  }

  #readCode(): boolean {
    const from = this.#pastRun("`");
    const length = from - this.#at;
    const to = this.#closingTicks(from, length);
    if (to === null && !(this.#growing && this.#isNear(from))) {
      this.#take(from, { text: "`".repeat(length) });
      return true;
    }
    const raw = this.#source.slice(from, to ?? undefined).replaceAll("\n", " ");
    const padded = raw.startsWith(" ") && raw.endsWith(" ") && raw.trim() !== "";
    const code = padded ? raw.slice(1, -1) : raw;
    const end = to === null ? this.#source.length : to + length;
    this.#take(end, { leaf: element("code", [text(code)], { dir: "auto" }) });
    return true;
  }

  /** Where the next run of exactly so many backticks is. */
  #closingTicks(from: number, length: number): number | null {
    for (let at = this.#source.indexOf("`", from); at >= 0;) {
      let end = at;
      while (this.#source.charAt(end) === "`") end++;
      if (end - at === length) return at;
      at = this.#source.indexOf("`", end);
    }
    return null;
  }

  #readRun(char: string): boolean {
    const at = this.#at;
    const end = this.#pastRun(char);
    const part = this.#take(end, { text: this.#source.slice(at, end) });
    const run = char === "~" && end - at !== 2 ? null : readRun(this.#source, at, end, part);
    if (run) this.#runs.push(run);
    return true;
  }

  #readOpening(image: boolean): boolean {
    const at = this.#at;
    const mark = image ? "![" : "[";
    const part = this.#take(at + mark.length, { text: mark });
    this.#brackets.push({ part, image, at, runs: this.#runs.length });
    return true;
  }

  #readClosing(): boolean {
    const bracket = this.#brackets.pop();
    if (!bracket) return false;
    const dead = !bracket.image && this.#brackets.length < this.#around;
    this.#around = Math.min(this.#around, this.#brackets.length);
    const target = dead ? null : this.#target();
    if (!target) return false;
    if (target === "unfinished") {
      if (!this.#growing || !this.#isNear(bracket.at)) return false;
      bracket.part.text = "";
      this.#take(this.#source.length);
    } else {
      this.#link(bracket, target);
    }
    return true;
  }

  #target(): Target | "unfinished" | null {
    const next = this.#at + 1;
    if (this.#source.charAt(next) === "(") return readTarget(this.#source, next);
    return next === this.#source.length ? "unfinished" : null;
  }

  /** An unsafe link is its text alone; an image is a link to it. */
  #link(bracket: Bracket, { address, title, end }: Target): void {
    pair(this.#runs.splice(bracket.runs));
    const attributes = linkAttributes(address, title);
    const nameless = bracket.image && this.#at === bracket.at + 2;
    const part = this.#take(end, { text: nameless ? address : "" });
    bracket.part.text = "";
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
    if (!bracket.image) this.#around = this.#brackets.length;
  }

  #readAngle(): boolean {
    const angle =
      /<(?:([a-z][a-z\d+.-]{1,31}:[^\s<>]*)|([\w.+-]+@[\w-]+(?:\.[\w-]+)+)|(br ?\/?))>/iy;
    angle.lastIndex = this.#at;
    const [found, address, mail, lineBreak] = angle.exec(this.#source) ?? [];
    if (!found) return false;
    const attributes = lineBreak ? null : linkAttributes(address ?? `mailto:${mail ?? ""}`);
    const leaf = attributes && element("a", [text(address ?? mail ?? "")], attributes);
    this.#take(this.#at + found.length, {
      leaf: lineBreak ? element("br") : leaf,
      text: lineBreak || leaf ? "" : found,
    });
    return true;
  }

  #readEntity(): boolean {
    const reference = /&(?:#\d{1,7}|#[xX][\da-fA-F]{1,6}|[a-z]{2,5});/y;
    reference.lastIndex = this.#at;
    const [found] = reference.exec(this.#source) ?? [];
    if (!found) return false;
    this.#take(this.#at + found.length, { text: decode(found) });
    return true;
  }

  #readBreak(): boolean {
    let end = this.#at;
    while (end > this.#plain && this.#source.charAt(end - 1) === " ") end--;
    const hard = this.#at - end > 1;
    this.#flush(end);
    this.#take(this.#at + 1, hard ? { leaf: element("br") } : { text: "\n" });
    return true;
  }

  #readBareAddress(): boolean {
    if (/\w/.test(this.#source.charAt(this.#at - 1))) return false;
    const address = readAddress(this.#source, this.#at, this.#brackets.length > 0);
    const attributes = address ? linkAttributes(address) : null;
    if (!attributes) return false;
    this.#take(this.#at + address.length, { leaf: element("a", [text(address)], attributes) });
    return true;
  }

  #pastRun(char: string): number {
    let end = this.#at;
    while (this.#source.charAt(end) === char) end++;
    return end;
  }

  #isNear(at: number): boolean {
    return this.#source.length - at <= REACH && this.#source.indexOf("\n", at) < 0;
  }

  #hideBracket(): void {
    const last = this.#brackets.at(-1);
    if (last && this.#isNear(last.at)) last.part.text = "";
  }

  #closeRuns(left: Run[]): void {
    const end = this.#take(this.#source.length);
    for (const run of left.reverse()) {
      if (this.#isNear(run.at)) closeAt(end, run);
    }
  }
}
