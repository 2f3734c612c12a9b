/** Formulas: what stands between `\\(` and `\\)`, `\\[` and `\\]`, or dollars, is shown as it was written. */

const CLOSES: Readonly<Record<string, string>> = { "\\(": "\\)", "\\[": "\\]", $$: "$$" };

/** Which lines of a text begin a formula of several lines. */
export class Formulas {
  /** Before this line nothing more closes what is closed so. */
  readonly #none = new Map<string, number>();

  constructor(private readonly lines: readonly string[]) {}

  /** What ends the formula that a line begins and a later one ends, before any blank one; else "". */
  opensAt(i: number): string {
    const line = this.lines[i] ?? "";
    const [, opens = ""] = /^[ \t>]*(\$\$|\\\[)/.exec(line) ?? [];
    const closes = CLOSES[opens];
    if (!closes || line.includes(closes, line.indexOf(opens) + 2)) return "";
    if (i < (this.#none.get(closes) ?? 0)) return "";
    for (let at = i + 1; at < this.lines.length; at++) {
      const next = this.lines[at] ?? "";
      if (next.includes(closes)) return closes;
      if (!/[^ \t>]/.test(next)) return this.#nothing(closes, at);
    }
    return this.#nothing(closes, this.lines.length);
  }

  #nothing(closes: string, before: number): "" {
    this.#none.set(closes, before);
    return "";
  }
}

/** Where the formulas of a block end; each mark that closes is looked for once, if there is none. */
export class InlineFormulas {
  readonly #missing = new Set<string>();
  /** Up to here nothing that is closed so has a meaning. */
  readonly #void = new Map<string, number>();

  constructor(private readonly source: string) {}

  /** The end of the formula at a place: null if there is none, or, with `growing`, none yet. */
  end(at: number): number | "open" | null {
    const opens = this.source.slice(at, at + 2);
    if (!Object.hasOwn(CLOSES, opens))
      return this.source.charAt(at) === "$" ? this.#dollar(at) : null;
    const closes = CLOSES[opens]!;
    if (this.#missing.has(closes)) return "open";
    if (at < (this.#void.get(closes) ?? 0)) return null;
    const end = this.source.indexOf(closes, at + 2);
    if (end >= 0) {
      if (means(this.source.slice(at + 2, end))) return end + 2;
      this.#void.set(closes, end);
      return null;
    }
    this.#missing.add(closes);
    return "open";
  }

  /** Between single dollars, as Pandoc reads them: no space inside, no digit behind, all on one line. */
  #dollar(at: number): number | null {
    let end = at + 1;
    for (; end < this.source.length; end++) {
      const char = this.source.charAt(end);
      if (char === "\n" || char === "`") return null;
      if (char === "$") break;
      if (char === "\\") end++;
    }
    const inside = this.source.slice(at + 1, end);
    const good = end < this.source.length && means(inside) && inside.trim() === inside;
    const marked = inside.includes("**") || inside.includes("](");
    return good && !marked && !/\d/.test(this.source.charAt(end + 1)) ? end + 1 : null;
  }
}

/** Escaped brackets without a letter or a digit between them are brackets. */
function means(formula: string): boolean {
  return /[\p{L}\p{N}]/u.test(formula);
}
