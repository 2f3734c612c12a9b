/** GFM tables: rows of text into cells. */

import type { References } from "./references";
import { element, inline, type Tree } from "./tree";

const MOST_COLUMNS = 128;

export type Alignment = "" | "left" | "right" | "center";

/** The cells of a row; an escaped pipe belongs to its cell. */
export function cells(row: string): string[] {
  const line = row.trim();
  const found: string[] = [];
  let cell = "";
  for (let i = line.startsWith("|") ? 1 : 0; i < line.length; i++) {
    const char = line.charAt(i);
    if (char === "|") {
      found.push(cell.trim());
      cell = "";
    } else if (char === "\\" && i + 1 < line.length) {
      const next = line.charAt(++i);
      cell += next === "|" ? next : char + next;
    } else {
      cell += char;
    }
  }
  return cell.trim() ? [...found, cell.trim()] : found;
}

/** What a delimiter row (`|:--|--:|`) says about as many columns as the header has; else null. */
export function alignments(row: string, header: string): Alignment[] | null {
  if (!/^[|:-]/.test(row) || !(row + header).includes("|")) return null;
  const marks = cells(row);
  if (marks.length > MOST_COLUMNS || !marks.every((mark) => /^:?-+:?$/.test(mark))) return null;
  if (cells(header).length !== marks.length) return null;
  return marks.map((mark) => {
    if (mark.endsWith(":")) return mark.startsWith(":") ? "center" : "right";
    return mark.startsWith(":") ? "left" : "";
  });
}

/** A row of exactly these columns: what is missing is one wide cell, what is too much is left out. */
export function tableRow(
  source: string,
  tag: "th" | "td",
  columns: readonly Alignment[],
  references: References,
): Tree {
  const found = cells(source).slice(0, columns.length);
  const row = element(
    "tr",
    found.map((cell, i) =>
      inline(tag, cell, references, columns[i] ? { "data-align": columns[i] } : {}),
    ),
  );
  const missing = columns.length - found.length;
  if (missing) row.children.push(element(tag, [], missing > 1 ? { colspan: `${missing}` } : {}));
  return row;
}
