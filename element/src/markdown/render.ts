/** Trees -> nodes. What is shown already stays, down to the text that goes on. */

import { copyText } from "../clipboard";
import { h } from "../dom";
import { icon } from "../icons";
import { isAllowed, picture } from "../picture";
import { wordsOf } from "./host";
import { parseInline } from "./inline";
import { asWritten, PICTURE, type Tree } from "./tree";

/** So many characters of a block are read; what follows in it is shown as it was written. */
const LONGEST = 20_000;

/** A tree on the page. */
export interface Shown {
  tree: Tree;
  growing: boolean;
  node: Text | HTMLElement;
  /** The node that its children are in. */
  body: Text | HTMLElement;
  children: Shown[];
  /** Which references its inlines were read with. */
  mark: string | undefined;
  /** How many elements its inlines were let have, and how many they have. */
  allowed: number;
  size: number;
}

/** How many elements an answer's inlines may still have; then they are shown as they were written. */
export interface Budget {
  left: number;
  /** The domains whose pictures are shown. */
  domains: readonly string[];
}

/** Makes a parent show exactly these trees, and the list of what it shows say so. */
export function update(
  parent: Node,
  shown: Shown[],
  trees: readonly Tree[],
  growing: boolean,
  budget: Budget,
): void {
  trees.forEach((tree, i) => {
    const grows = growing && i === trees.length - 1;
    const old = shown[i];
    if (old && isSame(old.tree, tree)) return patch(old, tree, grows, budget);
    const fresh = create(tree, grows, budget);
    if (old) old.node.replaceWith(fresh.node);
    else parent.appendChild(fresh.node);
    shown[i] = fresh;
  });
  for (const old of shown.splice(trees.length)) old.node.remove();
}

function isSame(old: Tree, tree: Tree): boolean {
  const stays = ["data-language", PICTURE];
  return (
    old.tag === tree.tag && stays.every((name) => old.attributes[name] === tree.attributes[name])
  );
}

function create(tree: Tree, growing: boolean, budget: Budget): Shown {
  const [node, body] = shownPicture(tree, budget) ?? build(tree);
  const mark = tree.references?.mark;
  const shown: Shown = { tree, growing, node, body, children: [], mark, allowed: 0, size: 0 };
  fill(shown, budget);
  // Last, because dir=auto looks through the whole block at every child that comes.
  if (node instanceof HTMLElement) setAttributes(node, {}, tree.attributes);
  return shown;
}

function patch(shown: Shown, tree: Tree, growing: boolean, budget: Budget): void {
  const old = shown.tree;
  const said = tree.references?.mark === shown.mark || !tree.inline?.includes("[");
  const unread = tree.inline !== old.inline || growing !== shown.growing || !said;
  shown.mark = tree.references?.mark;
  shown.tree = tree;
  shown.growing = growing;
  if (shown.node instanceof Text) return setText(shown.node, old.text, tree.text);
  setAttributes(shown.node, old.attributes, tree.attributes);
  const fits = budget.left === shown.allowed || shown.size < Math.min(budget.left, shown.allowed);
  if (tree.inline === undefined || unread || !fits) fill(shown, budget);
  else budget.left -= shown.size;
}

/** Makes it show what its tree holds now. */
function fill(shown: Shown, budget: Budget): void {
  const { tree, growing, body, children } = shown;
  if (tree.inline === undefined) return update(body, children, tree.children, growing, budget);
  shown.allowed = budget.left;
  const whole = tree.inline.length <= LONGEST;
  const read = whole ? tree.inline : tree.inline.slice(0, LONGEST);
  const trees = budget.left
    ? parseInline(read, growing && whole, tree.references, budget.left)
    : asWritten(read);
  if (!whole) trees.push(...asWritten(tree.inline.slice(LONGEST)));
  shown.size = Math.min(budget.left, count(trees));
  budget.left -= shown.size;
  update(body, children, trees, growing, budget);
}

function count(trees: readonly Tree[]): number {
  return trees.reduce((sum, { tag, children }) => sum + (tag ? 1 : 0) + count(children), 0);
}

/** A picture that may be shown; the words that stand for it are its own. */
function shownPicture(
  tree: Tree,
  { domains }: Budget,
): [node: HTMLElement, body: HTMLElement] | null {
  const address = tree.attributes[PICTURE];
  if (address === undefined || !isAllowed(address, domains)) return null;
  return [h("span", {}, picture(address, wordsOf(tree), domains)), h("span")];
}

/** A node for a tree, still empty, and the node in it that takes the children. */
function build(tree: Tree): [node: Text | HTMLElement, body: Text | HTMLElement] {
  if (tree.tag === "") {
    const node = document.createTextNode(tree.text);
    return [node, node];
  }
  if (tree.tag === "figure") return codeBlock(tree.attributes["data-language"] ?? "");
  const node = document.createElement(tree.tag);
  if (tree.tag !== "table") return [node, node];
  const region = { class: "table", role: "region", "aria-label": "Table", tabindex: 0 };
  return [h("div", { ...region, dir: "auto" }, node), node];
}

function setAttributes(
  node: HTMLElement,
  old: Record<string, string>,
  attributes: Record<string, string>,
): void {
  for (const name of Object.keys(old)) if (!(name in attributes)) node.removeAttribute(name);
  for (const [name, value] of Object.entries(attributes)) {
    if (old[name] !== value && name !== PICTURE) node.setAttribute(name, value);
  }
}

/** A text that only goes on keeps a selection in it. */
function setText(node: Text, old: string, text: string): void {
  if (text === old) return;
  if (text.startsWith(old)) node.appendData(text.slice(old.length));
  else node.data = text;
}

function codeBlock(language: string): [figure: HTMLElement, code: HTMLElement] {
  const code = h("code");
  const said = h("span", { "aria-live": "polite" });
  const button = h("button", { type: "button", "aria-label": "Copy code" }, icon("copy"));
  button.addEventListener("click", () => void copy(code, button, said));
  const caption = h("figcaption", {}, h("span", {}, language || "Code"), said, button);
  const lines = h("pre", { tabindex: 0, dir: "ltr" }, code);
  return [h("figure", {}, caption, lines), code];
}

async function copy(code: HTMLElement, button: HTMLElement, said: HTMLElement): Promise<void> {
  if (await copyText(code.textContent ?? "")) {
    said.textContent = "Copied";
    button.replaceChildren(icon("check"));
  } else {
    getSelection()?.selectAllChildren(code);
    said.textContent = "Selected, ready to copy";
  }
  setTimeout(() => {
    said.textContent = "";
    button.replaceChildren(icon("copy"));
  }, 2000);
}
