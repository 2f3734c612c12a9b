/** The element's icons: inline SVG in the colour and the size of the text around it. */

import { ALIASES, DRAWINGS } from "./icons-data";

const SVG = "http://www.w3.org/2000/svg";

/**
 * The icon of this name, hidden from assistive technology. A name of a library ("lucide:file-text")
 * gets the drawing of one of its words, an unknown one a dot.
 */
export function icon(name: string): SVGSVGElement {
  const known = drawingOf(name);
  const drawing = DRAWINGS[known] ?? "";
  const [lines, filled] = typeof drawing === "string" ? [drawing, ""] : drawing;
  const svg = document.createElementNS(SVG, "svg");
  const attributes = {
    viewBox: "0 0 24 24",
    width: "1em",
    height: "1em",
    fill: "none",
    stroke: "currentColor",
    "stroke-width": "1.75",
    "stroke-linecap": "round",
    "stroke-linejoin": "round",
    "aria-hidden": "true",
    class: /left|right|^back/.test(known) ? "icon directional" : "icon",
    "data-icon": known,
  };
  for (const [key, value] of Object.entries(attributes)) svg.setAttribute(key, value);
  if (lines) svg.append(path(lines));
  if (filled)
    svg.append(path(filled, { fill: "currentColor", stroke: "none", "fill-rule": "evenodd" }));
  return svg;
}

function path(d: string, attributes: Readonly<Record<string, string>> = {}): SVGPathElement {
  const node = document.createElementNS(SVG, "path");
  for (const [key, value] of Object.entries({ d, ...attributes })) node.setAttribute(key, value);
  return node;
}

function drawingOf(name: string): string {
  const bare = name.replace(/^[a-z]+:/, "");
  const side = /^(?:sidebar|open|collapse)-.*(left|right)/.exec(bare)?.[1];
  const words = bare.split("-");
  const candidates = [bare, side && `sidebar-${side}`, words.at(-1), ...words];
  for (const candidate of candidates) {
    const known = candidate && own(ALIASES, candidate) ? ALIASES[candidate] : candidate;
    if (known && own(DRAWINGS, known)) return known;
  }
  return "dot";
}

const own = (table: object, name: string): boolean => Object.hasOwn(table, name);
