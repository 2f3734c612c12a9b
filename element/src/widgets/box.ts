/** Size, space, lines and colours of a component, set through the CSSOM (no style attribute). */

import type { WidgetNode } from "../protocol";
import { choice, color, flex, length, ratio, record } from "./values";

/** A step of gaps, paddings and margins, in px. */
const STEP = 4;

const ALIGN = {
  start: "flex-start",
  center: "center",
  end: "flex-end",
  baseline: "baseline",
  stretch: "stretch",
};
const JUSTIFY = {
  start: "flex-start",
  center: "center",
  end: "flex-end",
  between: "space-between",
  around: "space-around",
  evenly: "space-evenly",
  stretch: "stretch",
};
const WRAP = { nowrap: "nowrap", wrap: "wrap", "wrap-reverse": "wrap-reverse" };
const RADIUS = {
  none: "0",
  "2xs": "2px",
  xs: "4px",
  sm: "6px",
  md: "8px",
  lg: "10px",
  xl: "12px",
  "2xl": "16px",
  "3xl": "20px",
  "4xl": "24px",
  full: "999px",
  "100%": "100%",
};
const LINE = Object.fromEntries(
  ["solid", "dashed", "dotted", "double", "groove", "ridge", "inset", "outset"].map((s) => [s, s]),
);
const SIDES: Record<string, readonly string[]> = {
  x: ["inline"],
  y: ["block"],
  top: ["block-start"],
  bottom: ["block-end"],
  left: ["inline-start"],
  right: ["inline-end"],
};
const SIZES: Record<string, readonly string[]> = {
  size: ["inline-size", "block-size"],
  width: ["inline-size"],
  height: ["block-size"],
  minSize: ["min-inline-size", "min-block-size"],
  minWidth: ["min-inline-size"],
  minHeight: ["min-block-size"],
  maxSize: ["max-inline-size", "max-block-size"],
  maxWidth: ["max-inline-size"],
  maxHeight: ["max-block-size"],
};

/** Sets one property, if there is a value. */
export function style(element: HTMLElement, property: string, value: string | null): void {
  if (value !== null) element.style.setProperty(property, value);
}

/** How a component itself sits: sizes, margin, radius, background, ratio. */
export function block(element: HTMLElement, node: WidgetNode): void {
  for (const [member, properties] of Object.entries(SIZES))
    for (const property of properties) style(element, property, length(node[member]));
  space(element, "margin", node.margin);
  style(element, "border-radius", choice<string>(RADIUS, node.radius));
  style(element, "background-color", color(node.background, "surface"));
  style(element, "aspect-ratio", ratio(node.aspectRatio));
  style(element, "flex", flex(node.flex));
}

/** How a container lays out what it holds. */
export function container(element: HTMLElement, node: WidgetNode, direction: unknown): void {
  element.classList.add(direction === "row" ? "row" : "col");
  style(element, "gap", length(node.gap, STEP));
  style(element, "align-items", choice(ALIGN, node.align));
  style(element, "justify-content", choice(JUSTIFY, node.justify));
  style(element, "flex-wrap", choice(WRAP, node.wrap));
  space(element, "padding", node.padding);
  border(element, node.border);
  block(element, node);
}

export function space(element: HTMLElement, property: "margin" | "padding", value: unknown): void {
  const sides = record(value);
  if (!sides) style(element, property, length(value, STEP));
  else
    for (const [side, ends] of Object.entries(SIDES))
      for (const end of ends) style(element, `${property}-${end}`, length(sides[side], STEP));
}

function border(element: HTMLElement, value: unknown): void {
  const sides = record(value);
  if (!sides || "size" in sides) style(element, "border", line(value));
  else
    for (const [side, ends] of Object.entries(SIDES))
      for (const end of ends) style(element, `border-${end}`, line(sides[side]));
}

function line(value: unknown): string | null {
  const border = record(value) ?? { size: value };
  const width = length(border.size);
  const shape = choice<string>(LINE, border.style) ?? "solid";
  return width && `${width} ${shape} ${color(border.color, "line") ?? "var(--ck-line)"}`;
}
