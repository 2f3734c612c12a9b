/** The element's icons: inline SVG in the colour and the size of the text around it. */

import { h } from "./dom";

const SVG = "http://www.w3.org/2000/svg";

/** Lines of one width in a box of 24 by 24. A pair holds the lines and what is filled. */
export type Drawing = string | readonly [lines: string, filled: string];

/** Those that are seen at once; icons-data.ts brings all the others. */
const DRAWINGS: Record<string, Drawing> = {
  "arrow-down": "M12 5v14M6 13l6 6 6-6",
  close: "M6 6l12 12M18 6L6 18",
  compose:
    "M11 5H6.5A1.5 1.5 0 0 0 5 6.5v11A1.5 1.5 0 0 0 6.5 19h11a1.5 1.5 0 0 0 1.5-1.5V13M10 14l.6-2.6L18 4l2 2-7.4 7.4z",
  history: "M4.5 12a7.5 7.5 0 1 0 2.2-5.3L4.5 9M4.5 4.5V9H9M12 8v4.2l2.8 1.6",
  send: "M12 19V5M6 11l6-6 6 6",
  stop: [
    "",
    "M8.5 6h7a2.5 2.5 0 0 1 2.5 2.5v7a2.5 2.5 0 0 1-2.5 2.5h-7a2.5 2.5 0 0 1-2.5-2.5v-7a2.5 2.5 0 0 1 2.5-2.5z",
  ],
  warning: "M12 4.5l8.5 15h-17zM12 10v4.5M12 17v.01",
};
const ALIASES: Record<string, string> = {};
/** Shown already, and not drawn: their drawings have not come yet. */
const undrawn = new Map<SVGSVGElement, string>();
let whole = false;

/** All drawings there are; what was shown without one gets it. */
export function addDrawings(
  drawings: Readonly<Record<string, Drawing>>,
  aliases: Readonly<Record<string, string>>,
): void {
  Object.assign(DRAWINGS, drawings);
  Object.assign(ALIASES, aliases);
  whole = true;
  for (const [svg, name] of undrawn) draw(svg, name);
  undrawn.clear();
}

/**
 * The icon of this name, hidden from assistive technology. A name of a library ("lucide:file-text")
 * gets the drawing of one of its words, an unknown one a dot.
 */
export function icon(name: string): SVGSVGElement {
  const svg = document.createElementNS(SVG, "svg");
  draw(svg, name);
  if (!whole && !own(DRAWINGS, name)) undrawn.set(svg, name);
  return svg;
}

/** A button that shows an icon alone, and is named. */
export function iconButton(name: string, label: string, kind = "tool"): HTMLButtonElement {
  const attributes = { type: "button", class: kind, "aria-label": label, title: label };
  return h("button", attributes, icon(name));
}

function draw(svg: SVGSVGElement, name: string): void {
  const known = drawingOf(name);
  const drawing = DRAWINGS[known] ?? "";
  const [lines, filled] = typeof drawing === "string" ? [drawing, ""] : drawing;
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
  svg.replaceChildren();
  if (lines) svg.append(path(lines));
  if (filled)
    svg.append(path(filled, { fill: "currentColor", stroke: "none", "fill-rule": "evenodd" }));
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
