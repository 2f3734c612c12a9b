/** A line while containers take their part of its beginning. */

export class Line {
  /** What is left of it. */
  text: string;
  #column = 0;

  constructor(text: string) {
    this.text = text;
  }

  get blank(): boolean {
    return isBlank(this.text);
  }

  /** The white space before the text, a tab up to the next fourth column. */
  indent(): { columns: number; chars: number } {
    let columns = 0;
    let chars = 0;
    for (; ; chars++) {
      const char = this.text.charAt(chars);
      if (char === " ") columns++;
      else if (char === "\t") columns += 4 - ((this.#column + columns) % 4);
      else return { columns, chars };
    }
  }

  /** Takes up to so many columns of white space; a tab may be taken in part. */
  eat(columns: number): void {
    let taken = 0;
    let chars = 0;
    while (taken < columns) {
      const char = this.text.charAt(chars);
      if (char !== " " && char !== "\t") break;
      taken += char === " " ? 1 : 4 - ((this.#column + taken) % 4);
      chars++;
    }
    const over = Math.max(0, taken - columns);
    this.text = " ".repeat(over) + this.text.slice(chars);
    this.#column += taken - over;
  }

  skip(chars: number): void {
    this.text = this.text.slice(chars);
    this.#column += chars;
  }

  /** Takes a `>` and the column after it; false if there is none. */
  eatQuoteMark(): boolean {
    const { columns, chars } = this.indent();
    if (this.text.charAt(chars) !== ">") return false;
    this.eat(columns);
    this.skip(1);
    this.eat(1);
    return true;
  }
}

export function isBlank(line: string): boolean {
  return /^[ \t]*$/.test(line);
}

/** Whether a line is one character over and over. */
export function isRun(line: string, char: string): boolean {
  for (const other of line) if (other !== char) return false;
  return line !== "";
}

/** Whether a line is a thematic break. */
export function isRule(line: string): boolean {
  return /^(?:(?:\*[ \t]*){3,}|(?:-[ \t]*){3,}|(?:_[ \t]*){3,})$/.test(line);
}

/** A heading without the marks that may close it. */
export function withoutClosing(heading: string): string {
  let end = heading.length;
  while (heading.charAt(end - 1) === "#") end--;
  return end === 0 || /[ \t]/.test(heading.charAt(end - 1))
    ? heading.slice(0, end).trimEnd()
    : heading;
}
