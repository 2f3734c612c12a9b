/** What is read or looked at: text, badges, icons, images. */

import { h } from "../dom";
import { icon } from "../icons";
import { renderMarkdown } from "../markdown";
import { picture as pictureOf } from "../picture";
import { plain } from "../plain";
import type { WidgetNode } from "../protocol";
import { strings } from "../strings";
import { block, style } from "./box";
import { textField } from "./controls";
import { ownWords, type Draw } from "./scope";
import { choice, color, count, length, record, text } from "./values";

const WEIGHT = { normal: "400", medium: "500", semibold: "600", bold: "700" };
const ALIGN = { start: "start", center: "center", end: "end" };
const FIT = Object.fromEntries(
  ["cover", "contain", "fill", "scale-down", "none"].map((fit) => [fit, fit]),
);
const POSITION = /^(top|bottom)?( ?(left|right))?$|^center$/;

/** Sizes in em; what is not named is as large as its kind is by itself. */
const SIZES: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  Text: { xs: 0.8125, sm: 0.9375, md: 1, lg: 1.125, xl: 1.25 },
  Title: { sm: 1, lg: 1.25, xl: 1.5, "2xl": 1.75, "3xl": 2, "4xl": 2.25, "5xl": 2.5 },
  Caption: { sm: 0.75, lg: 0.875 },
  Label: { xs: 0.8125, sm: 0.875, md: 1, lg: 1.125, xl: 1.25 },
  Badge: { md: 0.8125, lg: 0.875 },
  Icon: { xs: 0.75, sm: 0.875, lg: 1.25, xl: 1.5, "2xl": 2, "3xl": 2.5 },
};

/** Sizes an element as this kind of component. */
function resize(element: HTMLElement, type: string, size: unknown): void {
  const scale = choice(SIZES[type] ?? {}, size);
  if (typeof size === "string") element.dataset.size = size;
  style(element, "font-size", scale ? `${scale}em` : null);
}

/** The text members that Text, Title, Caption and Label share. */
function typography<T extends HTMLElement>(element: T, node: WidgetNode): T {
  resize(element, node.type, node.size);
  style(element, "color", color(node.color, "text"));
  style(element, "font-weight", choice(WEIGHT, node.weight));
  style(element, "text-align", choice(ALIGN, node.textAlign));
  element.classList.toggle("truncate", node.truncate === true);
  const most = count(node.maxLines);
  if (most) {
    element.classList.add("clamp");
    style(element, "-webkit-line-clamp", String(most));
  }
  return element;
}

const Text: Draw = (node, scope) => {
  const editable = record(node.editable);
  if (editable) return textField({ ...editable, type: "Text", defaultValue: node.value }, scope);
  const paragraph = typography(h("p", {}, text(node.value)), node);
  paragraph.classList.toggle("italic", node.italic === true);
  paragraph.classList.toggle("struck", node.lineThrough === true);
  style(paragraph, "inline-size", length(node.width));
  const least = count(node.minLines);
  style(paragraph, "min-block-size", least ? `${least}lh` : null);
  return paragraph;
};

const Title: Draw = (node) =>
  typography(h("div", { role: "heading", "aria-level": 3 }, plain(text(node.value))), node);

const Caption: Draw = (node) => typography(h("p", {}, text(node.value)), node);

const Label: Draw = (node, scope) =>
  typography(h("label", { for: scope.field(text(node.fieldName)) }, text(node.value)), node);

const Markdown: Draw = (node, scope) => {
  const prose = h("div", { class: "prose" });
  const growing = node.streaming === true;
  renderMarkdown(prose, text(node.value), scope.open, growing, scope.allowedImageDomains);
  return prose;
};

/** What the server calls a tool that runs: its badge shows that something is going on. */
const RUNNING = "Running";

const Badge: Draw = (node) => {
  const label = plain(text(node.label));
  const badge = h("span", { class: node.pill === false ? "badge square" : "badge" }, label);
  badge.dataset.color = text(node.color) || "secondary";
  badge.dataset.variant = text(node.variant) || "soft";
  resize(badge, "Badge", node.size);
  if (label === RUNNING && badge.dataset.color === "secondary")
    badge.prepend(h("span", { class: "pulse", "aria-hidden": "true" }));
  return badge;
};

const Icon: Draw = (node) => {
  const mark = h("span", {}, icon(text(node.name)));
  resize(mark, "Icon", node.size);
  style(mark, "color", color(node.color, "text"));
  return mark;
};

const Image: Draw = (node, scope) => {
  const words = text(node.alt) || strings.picture;
  const picture = pictureOf(text(node.src), words, scope.allowedImageDomains);
  picture.classList.toggle("framed", node.frame === true);
  picture.classList.toggle("flush", node.flush === true);
  block(picture, node);
  style(picture, "object-fit", choice<string>(FIT, node.fit));
  const position = text(node.position);
  style(picture, "object-position", position && POSITION.test(position) ? position : null);
  return picture;
};

/** A component that this version does not know: what it says, and what it holds. */
export const unknown: Draw = (node, scope) =>
  h(
    "div",
    { class: "col" },
    ...ownWords(node).map((word) => h("p", {}, word)),
    ...scope.draw(node.children),
  );

export const content = { Text, Title, Caption, Label, Markdown, Badge, Icon, Image };
