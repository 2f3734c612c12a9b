/** What a link's words say against where it leads. */

import { hostBeside } from "../link";
import { keptId } from "../picture";
import { plain } from "../plain";
import { element, text, type Tree } from "./tree";

/** A tree whose links hide nothing in their words, each with its host beside it if they name another. */
export function withHost(tree: Tree): Tree[] {
  if (tree.tag === "") return [tree];
  if (tree.tag !== "a") return [{ ...tree, children: tree.children.flatMap(withHost) }];
  const link = shown(tree);
  const href = tree.attributes.href ?? "";
  // a file is called as it is called
  const beside = keptId(href) ? null : hostBeside(wordsOf(link), href);
  return beside ? [link, element("span", [text(` (${beside})`)], { class: "host" })] : [link];
}

function shown(tree: Tree): Tree {
  return { ...tree, text: plain(tree.text), children: tree.children.map(shown) };
}

export function wordsOf(tree: Tree): string {
  return tree.text + tree.children.map(wordsOf).join("");
}
