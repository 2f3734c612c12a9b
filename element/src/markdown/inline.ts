/** Markdown within a block: text -> trees, by CommonMark's delimiter runs and in linear time. */

import { linkAttributes } from "./address";
import { mailAround, webAddress } from "./bare";
import { Brackets } from "./brackets";
import { decode, referenceAt } from "./entities";
import { InlineFormulas } from "./formulas";
import { withHost } from "./host";
import { assemble } from "./parts";
import { noReferences, type References } from "./references";
import { closeAt, isMark, pair, readRun, type Run } from "./runs";
import { element, text, type Tree } from "./tree";

/**
 * The inlines of a block; in one that still grows, what is open is shown as if it were closed. After about as many
 * elements as `most`, all is text.
 */
export function parseInline(
  source: string,
  growing: boolean,
  references: References = noReferences(),
  most = Infinity,
): Tree[] {
  return new Parser(growing ? withoutLoose(source) : source, growing, references).parse(most);
}

/** A growing text without the marks at its end: what they will mean is not yet known. */
function withoutLoose(source: string): string {
  let end = source.length;
  while (end && "*_~`".includes(source.charAt(end - 1))) end--;
  if (source.charAt(end - 1) === "\\") end--;
  return source.slice(0, end);
}

class Parser extends Brackets {
  #formulas: InlineFormulas;
  /** The places of the runs of backticks, by their length; read once, from the end. */
  #ticks: Map<number, number[]> | null = null;

  constructor(source: string, growing: boolean, references: References) {
    super(source, growing, references);
    this.#formulas = new InlineFormulas(source);
  }

  parse(most: number): Tree[] {
    while (this.at < this.source.length) {
      if (this.made >= most) this.at = this.source.length;
      if (!this.#step(this.source.charAt(this.at))) this.at++;
    }
    this.flush();
    if (this.growing) this.hideBracket();
    const left = pair(this.runs);
    if (this.growing) this.#closeRuns(left);
    return assemble(this.parts).flatMap(withHost);
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
        return this.source.charAt(this.at + 1) === "[" && this.readOpening(true);
      case "[":
        return this.readOpening(false);
      case "]":
        return this.readClosing();
      case "<":
        return this.#readAngle();
      case "&":
        return this.#readEntity();
      case "\n":
        return this.#readBreak();
      case "h":
      case "H":
      case "w":
      case "W":
        return this.#readBareAddress();
      case "@":
        return this.#readMail();
      case "$":
        return this.#readFormula();
      default:
        return false;
    }
  }

  #readEscape(): boolean {
    if (this.#readFormula()) return true;
    const next = this.source.charAt(this.at + 1);
    if (next === "\n") this.take(this.at + 2, { leaf: element("br") });
    else if (isMark(next) && next < "\x7f") this.take(this.at + 2, { text: next });
    else return false;
    return true;
  }

  #readFormula(): boolean {
    const end = this.#formulas.end(this.at);
    if (end === null) return false;
    if (end === "open" && !(this.growing && this.isNear(this.at))) return false;
    const past = end === "open" ? this.source.length : end;
    const written = this.source.slice(this.at, past);
    this.take(past, { leaf: element("span", [text(written)], { class: "formula", dir: "ltr" }) });
    return true;
  }

  #readCode(): boolean {
    const from = this.pastRun("`");
    const length = from - this.at;
    const to = this.#closingTicks(from, length);
    if (to === null && !(this.growing && this.isNear(from))) {
      this.take(from, { text: "`".repeat(length) });
      return true;
    }
    const raw = this.source.slice(from, to ?? undefined).replaceAll("\n", " ");
    const padded = raw.startsWith(" ") && raw.endsWith(" ") && raw.trim() !== "";
    const code = padded ? raw.slice(1, -1) : raw;
    const end = to === null ? this.source.length : to + length;
    this.take(end, { leaf: element("code", [text(code)], { dir: "auto" }) });
    return true;
  }

  /** Where the next run of exactly so many backticks is. */
  #closingTicks(from: number, length: number): number | null {
    this.#ticks ??= runsOfTicks(this.source);
    const places = this.#ticks.get(length) ?? [];
    while (places.length && places.at(-1)! < from) places.pop();
    return places.at(-1) ?? null;
  }

  #readRun(char: string): boolean {
    const at = this.at;
    const end = this.pastRun(char);
    // within a word it is a letter
    if (char === "_" && isLetter(this.source.charAt(at - 1)) && isLetter(this.source.charAt(end))) {
      this.at = end;
      return true;
    }
    const part = this.take(end, { text: this.source.slice(at, end) });
    const run = char === "~" && end - at !== 2 ? null : readRun(this.source, at, end, part);
    if (run) this.runs.push(run);
    // two such runs are at most half as many elements as they have marks
    this.made += Math.ceil((end - at) / 4);
    return true;
  }

  #readAngle(): boolean {
    const angle =
      /<(?:([a-z][a-z\d+.-]{1,31}:[^\s<>]*)|([\w.+-]+@[\w-]+(?:\.[\w-]+)+)|(br ?\/?))>/iy;
    angle.lastIndex = this.at;
    const [found, address, mail, lineBreak] = angle.exec(this.source) ?? [];
    if (!found) return false;
    const attributes = lineBreak ? null : linkAttributes(address ?? `mailto:${mail ?? ""}`);
    const leaf = attributes && element("a", [text(address ?? mail ?? "")], attributes);
    this.take(this.at + found.length, {
      leaf: lineBreak ? element("br") : leaf,
      text: lineBreak || leaf ? "" : found,
    });
    return true;
  }

  #readEntity(): boolean {
    const found = referenceAt(this.source, this.at);
    if (!found) return false;
    this.take(this.at + found.length, { text: decode(found) });
    return true;
  }

  #readBreak(): boolean {
    let end = this.at;
    while (end > this.plain && this.source.charAt(end - 1) === " ") end--;
    const hard = this.at - end > 1;
    this.flush(end);
    this.take(this.at + 1, hard ? { leaf: element("br") } : { text: "\n" });
    return true;
  }

  #readBareAddress(): boolean {
    if (/[\w/]/.test(this.source.charAt(this.at - 1))) return false;
    const address = webAddress(this.source, this.at, this.brackets.length > 0);
    const scheme = /^www/i.test(address) ? "http://" : "";
    return this.#takeAddress(address, scheme, this.at);
  }

  #readMail(): boolean {
    const around = mailAround(this.source, this.at, this.plain);
    if (!around) return false;
    const address = this.source.slice(around.start, around.end);
    const scheme = /^mailto:/i.test(address) ? "" : "mailto:";
    return this.#takeAddress(address, scheme, around.start);
  }

  #takeAddress(address: string, scheme: string, start: number): boolean {
    const attributes = address ? linkAttributes(scheme + address) : null;
    if (!attributes) return false;
    this.flush(start);
    this.plain = this.at = start;
    this.take(start + address.length, { leaf: element("a", [text(address)], attributes) });
    return true;
  }

  #closeRuns(left: Run[]): void {
    const end = this.take(this.source.length);
    for (const run of left.reverse()) {
      if (this.isNear(run.at)) closeAt(end, run);
    }
  }
}

function isLetter(char: string): boolean {
  return /[a-zA-Z\d]/.test(char);
}

/** The places of the runs of backticks by their length, the last place first. */
function runsOfTicks(source: string): Map<number, number[]> {
  const runs = new Map<number, number[]>();
  for (let at = source.indexOf("`"); at >= 0;) {
    let end = at;
    while (source.charAt(end) === "`") end++;
    const places = runs.get(end - at) ?? [];
    places.push(at);
    runs.set(end - at, places);
    at = source.indexOf("`", end);
  }
  for (const places of runs.values()) places.reverse();
  return runs;
}
