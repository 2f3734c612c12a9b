/** Trees -> nodes. What is shown already stays, down to the text that goes on. */

import { copyText } from "../clipboard";
import { h } from "../dom";
import { icon } from "../icons";
import { parseInline } from "./inline";
import type { Tree } from "./tree";

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
}

/** Makes a parent show exactly these trees, and the list of what it shows say so. */
export function update(
  parent: Node,
  shown: Shown[],
  trees: readonly Tree[],
  growing: boolean,
): void {
  trees.forEach((tree, i) => {
    const grows = growing && i === trees.length - 1;
    const old = shown[i];
    if (old && isSame(old.tree, tree)) return patch(old, tree, grows);
    const fresh = create(tree, grows);
    if (old) old.node.replaceWith(fresh.node);
    else parent.appendChild(fresh.node);
    shown[i] = fresh;
  });
  for (const old of shown.splice(trees.length)) old.node.remove();
}

function isSame(old: Tree, tree: Tree): boolean {
  const language = "data-language";
  return old.tag === tree.tag && old.attributes[language] === tree.attributes[language];
}

function create(tree: Tree, growing: boolean): Shown {
  const [node, body] = build(tree);
  const mark = tree.references?.mark;
  const shown: Shown = { tree, growing, node, body, children: [], mark };
  update(body, shown.children, content(tree, growing), growing);
  // Last, because dir=auto looks through the whole block at every child that comes.
  if (node instanceof HTMLElement) setAttributes(node, {}, tree.attributes);
  return shown;
}

function patch(shown: Shown, tree: Tree, growing: boolean): void {
  const old = shown.tree;
  const said = tree.references?.mark === shown.mark || !tree.inline?.includes("[");
  const unread = tree.inline !== old.inline || growing !== shown.growing || !said;
  shown.mark = tree.references?.mark;
  shown.tree = tree;
  shown.growing = growing;
  if (shown.node instanceof Text) return setText(shown.node, old.text, tree.text);
  setAttributes(shown.node, old.attributes, tree.attributes);
  if (tree.inline !== undefined && !unread) return;
  update(shown.body, shown.children, content(tree, growing), growing);
}

function content(tree: Tree, growing: boolean): Tree[] {
  if (tree.inline === undefined) return tree.children;
  return parseInline(tree.inline, growing, tree.references);
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
    if (old[name] !== value) node.setAttribute(name, value);
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
