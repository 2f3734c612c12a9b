/** A text that is read from its start: where that stands, and the parts so far. */

import { newPart, type Part } from "./parts";

/** As far back as a text that still grows may have opened what it has not closed yet. */
const REACH = 200;

export abstract class Scanner {
  protected at = 0;
  /** Where the plain text begins that is not yet a part. */
  protected plain = 0;
  protected parts: Part[] = [];
  /** How many elements there may be of what was read. */
  protected made = 0;

  constructor(
    protected readonly source: string,
    protected readonly growing: boolean,
  ) {}

  /** Makes the plain text so far a part, and goes on after `end`. */
  protected take(end: number, part: Partial<Part> = {}): Part {
    this.flush();
    this.at = this.plain = end;
    const taken = { ...newPart(), ...part };
    if (taken.leaf) this.made++;
    this.parts.push(taken);
    return taken;
  }

  protected flush(end = this.at): void {
    const plain = this.source.slice(this.plain, end);
    if (plain) this.parts.push(newPart(plain));
    this.plain = this.at;
  }

  protected pastRun(char: string): number {
    let end = this.at;
    while (this.source.charAt(end) === char) end++;
    return end;
  }

  protected isNear(at: number): boolean {
    return this.source.length - at <= REACH && this.source.indexOf("\n", at) < 0;
  }
}
