/** What is open while blocks are read line by line: containers, and the leaf that the next line may go on in. */

import { container, type Container, type Leaf } from "./containers";
import { isBlank } from "./line";
import { noReferences, takeDefinitions } from "./references";
import { element, text, type Tree } from "./tree";

/** From here on containers are not drawn farther in. */
const DEEP = 8;
/** Code has a heading with a button. */
const OF_A_FIGURE = 9;

export abstract class OpenBlocks {
  /** How many elements there are so far. */
  made = 0;
  protected root = container("root", element("div"));
  protected open: Container[] = [this.root];
  protected leaf: Leaf | null = null;
  /** How many open containers the line goes on in. */
  protected depth = 1;
  protected references = noReferences();

  protected get inner(): Container {
    return this.open[this.depth - 1] ?? this.root;
  }

  /** The paragraph that the line would continue without laziness. */
  protected get paragraph() {
    const whole = this.depth === this.open.length;
    return whole && this.leaf?.type === "paragraph" ? this.leaf : null;
  }

  /** A blank line parts the items around it, up to the quote that it stands in. */
  protected noteBlank(blank: boolean): void {
    const quote = this.open.findLastIndex((open) => open.kind === "quote");
    this.open.forEach((open, i) => (open.blank = blank && i > quote));
  }

  /** Adds a block to the innermost container that the line goes on in, and ends what stood there. */
  protected add(tree: Tree): Tree {
    this.settle();
    this.close();
    const parent = this.inner;
    if (parent.blank && parent.within && parent.tree.children.length) {
      parent.within.tree.attributes["data-loose"] = "";
    }
    parent.list = null;
    parent.tree.children.push(tree);
    this.made += tree.tag === "figure" ? OF_A_FIGURE : 1;
    return tree;
  }

  protected push(opened: Container): void {
    this.made++;
    if (this.open.length > DEEP) opened.tree.attributes["data-deep"] = "";
    this.open.push(opened);
    this.depth = this.open.length;
  }

  /** Leaves the containers that the line does not go on in. */
  protected settle(): void {
    if (this.depth === this.open.length) return;
    this.close();
    this.open.length = this.depth;
  }

  protected close(): void {
    const leaf = this.leaf;
    this.leaf = null;
    if (leaf?.type === "paragraph") this.closeParagraph(leaf);
    else if (leaf?.type === "fence") leaf.tree.children = [text(leaf.lines.join("\n"))];
    else if (leaf?.type === "indented") {
      while (isBlank(leaf.lines.at(-1) ?? "-")) leaf.lines.pop();
      leaf.tree.children = [text(leaf.lines.join("\n"))];
    }
  }

  /** Takes the definitions at the beginning of a paragraph in; whether nothing is left of it. */
  protected isDefined(leaf: Leaf & { type: "paragraph" }): boolean {
    if (!leaf.lines[0]?.startsWith("[")) return false;
    const source = leaf.lines.join("\n");
    const rest = source.slice(takeDefinitions(source, this.references));
    leaf.lines = rest ? rest.split("\n") : [];
    if (leaf.lines.length) return false;
    const siblings = this.open.at(-1)?.tree.children;
    if (siblings?.at(-1) === leaf.tree) siblings.pop();
    this.leaf = null;
    return true;
  }

  protected closeParagraph(leaf: Leaf & { type: "paragraph" }): void {
    if (this.isDefined(leaf)) return;
    const { tree } = leaf;
    const source = leaf.lines.join("\n").trimEnd();
    const item = this.open.at(-1)?.tree;
    const [box, mark] = /^\[([ xX])\][ \t]+(?=\S)/.exec(source) ?? [];
    tree.inline = source.slice(box?.length ?? 0);
    if (!box || item?.tag !== "li" || item.children[0] !== tree) {
      tree.inline = source;
      return;
    }
    const done = mark !== " ";
    item.attributes["data-task"] = done ? "done" : "open";
    item.children.unshift(
      element("span", [], { role: "img", "aria-label": done ? "Done" : "To do" }),
    );
  }

  /** The direction of a block's text; in a quote or a list it is theirs. */
  protected direction(): Record<string, string> {
    return this.depth === 1 ? { dir: "auto" } : {};
  }
}
