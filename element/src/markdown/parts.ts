/** A text in parts, on its way to trees. */

import { element, text, type Tree } from "./tree";

const DEEPEST = 32;

type Wrap = Pick<Tree, "tag" | "attributes">;

/** A stretch of the text. Pairs of parts become elements: the first opens them, the second closes them. */
export interface Part {
  text: string;
  leaf: Tree | null;
  closes: number;
  /** The innermost first. */
  opens: Wrap[];
}

export function newPart(text = ""): Part {
  return { text, leaf: null, closes: 0, opens: [] };
}

/** Parts -> trees. Elements nested too deep, and links in links, are their content alone. */
export function assemble(parts: readonly Part[]): Tree[] {
  const root: Tree[] = [];
  const stack = [{ into: root, linked: false }];
  for (const part of parts) {
    for (let i = 0; i < part.closes; i++) stack.pop();
    const top = stack.at(-1) ?? { into: root, linked: false };
    const leaf = part.leaf;
    if (leaf) append(top.into, top.linked && leaf.tag === "a" ? leaf.children : [leaf]);
    if (part.text) append(top.into, [text(part.text)]);
    for (const wrap of part.opens.reverse()) {
      const { into, linked } = stack.at(-1) ?? top;
      const link = wrap.tag === "a";
      if (stack.length > DEEPEST || (link && linked)) {
        stack.push({ into, linked });
      } else {
        const inner = element(wrap.tag, [], wrap.attributes);
        into.push(inner);
        stack.push({ into: inner.children, linked: linked || link });
      }
    }
  }
  return root;
}

/** Adds trees; text joins the text before it. */
function append(into: Tree[], trees: readonly Tree[]): void {
  for (const tree of trees) {
    const last = into.at(-1);
    if (tree.tag === "" && last?.tag === "") last.text += tree.text;
    else into.push(tree);
  }
}
