/** Blocks that lines may still join. */

import type { Alignment } from "./table";
import type { Tree } from "./tree";

interface List {
  tree: Tree;
  marker: string;
  last: Container;
}

/** The root, a quote, an item of a list or a note, while lines may still join it. */
export interface Container {
  tree: Tree;
  kind: "root" | "quote" | "item" | "note";
  /** Columns before an item's content. */
  offset: number;
  /** Whether the last line in it was blank. */
  blank: boolean;
  /** The list that an item belongs to. */
  within: List | null;
  /** The list at the container's end. */
  list: List | null;
}

export type Leaf =
  | { type: "paragraph"; tree: Tree; lines: string[] }
  | { type: "indented"; tree: Tree; lines: string[] }
  | { type: "fence"; tree: Tree; lines: string[]; mark: string; length: number; indent: number }
  | { type: "table"; rows: Tree; columns: Alignment[] };

export function container(kind: Container["kind"], tree: Tree): Container {
  return { tree, kind, offset: 0, blank: false, within: null, list: null };
}
