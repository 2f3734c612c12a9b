/** Building nodes without markup: text stays text. */

type Child = Node | string | null | undefined | false;
export type Props = Record<string, string | number | boolean | EventListener | null | undefined>;

/**
 * A new element. `class` and attributes by name (`null`, `undefined` and `false` leave one out, `true` sets
 * it empty), `onclick` and the like as listeners. Children are nodes or text.
 */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  props: Props = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...children.filter((child): child is Node | string => !!child || child === ""));
  return node;
}

/**
 * Gives a parent exactly these children. What it has already stays where it is as far as it can: a node
 * that is moved loses its focus and is laid out again with all that it holds.
 */
export function place(parent: Node, wanted: readonly Node[]): void {
  const stays = new Set<Node>(wanted);
  for (const child of [...parent.childNodes]) if (!stays.has(child)) child.remove();
  let at = parent.firstChild;
  for (const node of wanted) {
    if (node === at) at = at.nextSibling;
    else parent.insertBefore(node, at);
  }
}

/** The address, if a person may be sent there: http, https or mailto; else null. */
export function safeUrl(address: string): string | null {
  try {
    const url = new URL(address, document.baseURI);
    return ["http:", "https:", "mailto:"].includes(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}
