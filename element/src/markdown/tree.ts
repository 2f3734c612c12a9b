/** Markup as data: what the parsers make and the page shows. */

/** An element by its tag, or text where the tag is empty. */
export interface Tree {
  tag: string;
  attributes: Record<string, string>;
  children: Tree[];
  text: string;
  /** Inline Markdown that stands for the children; read only when it has changed. */
  inline?: string;
}

export function element(
  tag: string,
  children: Tree[] = [],
  attributes: Record<string, string> = {},
): Tree {
  return { tag, attributes, children, text: "" };
}

export function text(value: string): Tree {
  return { tag: "", attributes: {}, children: [], text: value };
}

export function inline(tag: string, source: string, attributes: Record<string, string> = {}): Tree {
  return { tag, attributes, children: [], text: "", inline: source };
}
