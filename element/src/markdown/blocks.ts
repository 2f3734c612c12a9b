/** Markdown's blocks, line by line as CommonMark reads them: text -> trees whose inlines wait to be read. */

import { container, type Leaf } from "./containers";
import { isBlank, isRule, isRun, Line, withoutClosing } from "./line";
import { OpenBlocks } from "./open-blocks";
import { unescape } from "./entities";
import { Formulas } from "./formulas";
import { labelOf } from "./references";
import { alignments, cells, tableRow, type Alignment } from "./table";
import { asWritten, element, inline, type Tree } from "./tree";

/** As deep as containers are read; no page has room for more. */
const DEEPEST = 20;
/** So many elements are made of blocks; what follows is shown as it was written. */
const MOST = 5_000;

/** The blocks of a text; of one that still grows, a table's head is a table before its second line. */
export function parseBlocks(source: string, growing: boolean): Tree[] {
  const parser = new Parser();
  const lines = source.replaceAll("\0", "\ufffd").split(/\r\n?|\n/);
  if (lines.at(-1) === "") lines.pop();
  const formulas = new Formulas(lines);
  let i = 0;
  for (; i < lines.length && parser.made < MOST; i++) parser.read(lines[i]!, formulas.opensAt(i));
  const blocks = parser.end(growing);
  if (i === lines.length) return blocks;
  const rest = asWritten(lines.slice(i).join("\n"));
  return [...blocks, element("p", rest, { dir: "auto" })];
}

class Parser extends OpenBlocks {
  #line = new Line("");
  #notes: Tree[] = [];
  /** What ends the formula that the line is in. */
  #formula = "";

  /** `formula`: what ends a formula that begins with this line, and ends before a blank one. */
  read(line: string, formula: string): void {
    this.#line = new Line(line);
    this.#match();
    const whole = this.depth === this.open.length;
    if (whole && (this.#readFormula() || this.#readVerbatim())) return;
    this.#formula = "";
    if (whole && this.leaf?.type === "indented") this.close();
    let begun = false;
    while (!this.#line.blank && this.#startContainer()) begun = true;
    if (!this.#line.blank) {
      if (formula && this.#line.indent().columns < 4) {
        this.#readText();
        this.#formula = formula;
      } else if (!this.#startLeaf()) this.#readText();
    } else if (!begun) return this.#readBlank();
    for (const open of this.open) open.blank = false;
  }

  end(growing: boolean): Tree[] {
    const leaf = this.leaf;
    if (growing && leaf?.type === "paragraph" && leaf.lines.at(-1)?.startsWith("|")) {
      this.depth = this.open.length;
      this.#startTable(
        leaf,
        cells(leaf.lines.at(-1) ?? "").map(() => ""),
      );
    }
    this.close();
    const { children } = this.root.tree;
    if (!this.#notes.length) return children;
    const loose = this.#notes.some((note) => note.children.length > 1);
    const list = element("ol", this.#notes, loose ? { "data-loose": "" } : {});
    return [...children, element("section", [list], { class: "notes" })];
  }

  /** Takes a line of a formula as it is. */
  #readFormula(): boolean {
    if (!this.#formula || this.leaf?.type !== "paragraph") return false;
    this.leaf.lines.push(this.#line.text);
    if (this.#line.text.includes(this.#formula)) this.#formula = "";
    return true;
  }

  #match(): void {
    this.depth = 1;
    for (const open of this.open.slice(1)) {
      const { columns } = this.#line.indent();
      if (open.kind === "quote") {
        if (columns > 3 || !this.#line.eatQuoteMark()) return;
      } else if (this.#line.blank) {
        if (!open.tree.children.length) return;
      } else if (columns >= open.offset) {
        this.#line.eat(open.offset);
      } else {
        return;
      }
      this.depth++;
    }
  }

  #readVerbatim(): boolean {
    const leaf = this.leaf;
    const { columns, chars } = this.#line.indent();
    if (leaf?.type === "fence") {
      const end = this.#line.text.slice(chars).trimEnd();
      if (columns < 4 && end.length >= leaf.length && isRun(end, leaf.mark)) {
        this.close();
      } else {
        this.#line.eat(leaf.indent);
        leaf.lines.push(this.#line.text);
      }
      for (const open of this.open) open.blank = false;
      return true;
    }
    if (leaf?.type !== "indented" || (columns < 4 && !this.#line.blank)) return false;
    this.#line.eat(4);
    leaf.lines.push(this.#line.text);
    this.noteBlank(this.#line.blank);
    return true;
  }

  #readBlank(): void {
    // An item without content ends here.
    const left = this.open[this.depth];
    if (left) left.blank = true;
    this.settle();
    this.close();
    this.noteBlank(true);
  }

  #readText(): void {
    const line = this.#line.text.slice(this.#line.indent().chars);
    if (this.leaf?.type === "paragraph") {
      this.leaf.lines.push(line);
    } else if (this.leaf?.type === "table" && this.depth === this.open.length) {
      const row = tableRow(line, "td", this.leaf.columns, this.references);
      this.leaf.rows.children.push(row);
      this.made += 1 + row.children.length;
    } else {
      const tree = this.add(inline("p", "", this.references, this.direction()));
      this.leaf = { type: "paragraph", tree, lines: [line] };
    }
  }

  /** Opens a note, if the line begins one: `[^label]: text`. */
  #startNote(rest: string, columns: number): boolean {
    if (this.depth > 1) return false;
    const [mark, label = ""] = /^\[\^([^\[\]\s^]{1,100})\]:/.exec(rest) ?? [];
    if (!mark || this.references.notes.has(labelOf(label))) return false;
    this.#line.eat(columns);
    this.#line.skip(mark.length);
    this.settle();
    this.close();
    const number = this.references.notes.size + 1;
    this.references.notes.set(labelOf(label), number);
    this.references.mark += `^${label}\n`;
    const note = container("note", element("li", [], { dir: "auto" }));
    note.offset = 4;
    this.#notes.push(note.tree);
    this.inner.list = null;
    this.push(note);
    return true;
  }

  /** Opens a quote, an item of a list or a note, if the line goes on with one. */
  #startContainer(): boolean {
    const { columns, chars } = this.#line.indent();
    if (columns > 3 || this.depth >= DEEPEST) return false;
    const rest = this.#line.text.slice(chars);
    if (rest.startsWith(">")) {
      this.#line.eatQuoteMark();
      const tree = this.add(element("blockquote", [], { dir: "auto" }));
      this.push(container("quote", tree));
      return true;
    }
    if (this.#startNote(rest, columns)) return true;
    const [mark, start] = /^(?:[-*+]|(\d{1,9})[.)])(?=[ \t]|$)/.exec(rest) ?? [];
    if (!mark || isRule(rest)) return false;
    const empty = isBlank(rest.slice(mark.length));
    if (this.paragraph) {
      // What reads as a sentence's end, or as the line under a heading, starts no list.
      if (empty || (start !== undefined && Number(start) !== 1)) return false;
    }
    this.#line.eat(columns);
    this.#line.skip(mark.length);
    const gap = this.#line.indent().columns;
    const padding = empty || gap > 4 ? 1 : gap;
    this.#line.eat(padding);
    this.#startItem(mark.slice(-1), start, columns + mark.length + padding);
    return true;
  }

  #startItem(marker: string, start: string | undefined, offset: number): void {
    this.settle();
    this.close();
    let list = this.inner.list;
    if (list?.marker === marker) {
      if (list.last.blank) list.tree.attributes["data-loose"] = "";
    } else {
      const first = start === undefined || Number(start) === 1 ? {} : { start: `${Number(start)}` };
      const tree = this.add(element(start === undefined ? "ul" : "ol", [], first));
      list = { tree, marker, last: this.root };
      this.inner.list = list;
    }
    const item = container("item", element("li", [], { dir: "auto" }));
    item.offset = offset;
    item.within = list;
    list.last = item;
    list.tree.children.push(item.tree);
    this.push(item);
  }

  #startLeaf(): boolean {
    const { columns, chars } = this.#line.indent();
    if (columns > 3) {
      if (this.leaf?.type === "paragraph") return false;
      this.#line.eat(4);
      const tree = this.add(element("figure"));
      this.leaf = { type: "indented", tree, lines: [this.#line.text] };
      return true;
    }
    const rest = this.#line.text.slice(chars);
    return (
      this.#startHeading(rest) ||
      this.#startFence(rest, columns) ||
      this.#underline(rest) ||
      this.#startRule(rest)
    );
  }

  #startHeading(rest: string): boolean {
    const [, marks] = /^(#{1,6})(?:[ \t]|$)/.exec(rest) ?? [];
    if (!marks) return false;
    this.#heading(marks.length, withoutClosing(rest.slice(marks.length).trim()));
    return true;
  }

  #heading(level: number, source: string): void {
    // The page has an h1 and an h2 of its own.
    const tag = `h${Math.min(level + 2, 6)}`;
    this.add(inline(tag, source, this.references, this.direction()));
  }

  #startFence(rest: string, indent: number): boolean {
    const [, marks, info] = /^(`{3,}|~{3,})(.*)$/.exec(rest) ?? [];
    if (!marks || info === undefined) return false;
    if (marks.startsWith("`") && info.includes("`")) return false;
    const [language] = unescape(info.trim()).split(/\s/, 1);
    const tree = this.add(element("figure", [], language ? { "data-language": language } : {}));
    this.leaf = {
      type: "fence",
      tree,
      lines: [],
      mark: marks.charAt(0),
      length: marks.length,
      indent,
    };
    return true;
  }

  /** A line that makes the paragraph above it a heading, or its last line a table's head. */
  #underline(rest: string): boolean {
    const above = this.paragraph;
    if (!above) return false;
    const line = rest.trimEnd();
    if (isRun(line, "=") || isRun(line, "-")) {
      if (this.isDefined(above)) return false;
      this.inner.tree.children.pop();
      this.leaf = null;
      this.#heading(line.startsWith("=") ? 1 : 2, above.lines.join("\n").trimEnd());
      return true;
    }
    const columns = alignments(line, above.lines.at(-1) ?? "");
    if (columns) this.#startTable(above, columns);
    return columns !== null;
  }

  #startTable(above: Leaf & { type: "paragraph" }, columns: Alignment[]): void {
    const head = above.lines.pop() ?? "";
    if (!above.lines.length) {
      this.inner.tree.children.pop();
      this.leaf = null;
    }
    const rows = element("tbody");
    const table = element("table", [
      element("thead", [tableRow(head, "th", columns, this.references)]),
      rows,
    ]);
    this.add(table);
    this.leaf = { type: "table", rows, columns };
  }

  #startRule(rest: string): boolean {
    if (!isRule(rest)) return false;
    this.add(element("hr"));
    return true;
  }
}
