/** Markup as data: what the parsers make and the page shows. */

import type { References } from "./references";

/** An element by its tag, or text where the tag is empty. */
export interface Tree {
  tag: string;
  attributes: Record<string, string>;
  children: Tree[];
  text: string;
  /** Inline Markdown that stands for the children; read only when it has changed. */
  inline?: string;
  references?: References;
}

/** The attribute that names a link's picture; nothing of it reaches the page. */
export const PICTURE = "data-picture";

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

const PIECE = /[^]{1,4999}\s|[^]{1,5000}/gu;

/** A text as it was written, in pieces: a page lays out only those that are seen. */
export function asWritten(source: string): Tree[] {
  return (source.match(PIECE) ?? []).map((piece) =>
    element("span", [text(piece)], { class: "rest" }),
  );
}

/** An element whose inlines are read later, with what the whole text says elsewhere. */
export function inline(
  tag: string,
  source: string,
  references: References,
  attributes: Record<string, string> = {},
): Tree {
  return { tag, attributes, children: [], text: "", inline: source, references };
}
