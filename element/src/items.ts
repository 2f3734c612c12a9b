/** One item of a thread, drawn. */

import type { Asked, Standing } from "./actions";
import { alertBox } from "./alert";
import { attachedFiles } from "./attached";
import { h, place } from "./dom";
import { keepFresh } from "./fresh";
import { icon } from "./icons";
import { renderMarkdown } from "./markdown";
import { eachOf, ITEMS, nameOdd, oddIn, SHAPES, unreadable } from "./odd";
import { picture } from "./picture";
import { plain } from "./plain";
import type { Entity } from "@openai/chatkit";
import type {
  Annotation,
  AssistantMessageItem,
  Source,
  StructuredInputItem,
  ThreadItem,
  UserMessageItem,
  WidgetItem,
  WidgetNode,
} from "./protocol";
import { questions } from "./questions";
import { strings } from "./strings";
import { drawWorkflow, sourceLink, taskLine } from "./tasks";
import { drawWidget } from "./widgets";
import { replaceDrawing } from "./widgets/kept";
import "./icons-data";
import attachedStyles from "./attached.css";
import itemStyles from "./items.css";
import markdownStyles from "./markdown.css";
import printStyles from "./print.css";
import questionStyles from "./questions.css";
import widgetStyles from "./widgets.css";

export { Askings } from "./askings";
export { PageTools } from "./client-tool";
export { renderMarkdown };
/** The last of them has the last word on how all looks on paper. */
export const styles = [
  itemStyles,
  attachedStyles,
  markdownStyles,
  widgetStyles,
  questionStyles,
  printStyles,
].join("");

/** What an item needs from around it. */
export interface Surroundings {
  busy: boolean;
  /** The domains from which pictures are loaded by themselves. */
  allowedImageDomains: readonly string[];
  open(address: string): void;
  act(asked: Asked, item: WidgetItem): void;
  standing(item: ThreadItem): Standing;
  /** Named things can be clicked, or looked at. */
  tags: boolean;
  met(node: HTMLElement, how: string, entity: Entity): void;
  answer(item: StructuredInputItem, values: Record<string, string[]> | null): void;
  /** Reads the item again, and those before it, for the addresses in them. */
  renew(item: string): Promise<readonly ThreadItem[]>;
}

/** Draws the item into its article, again and again while it grows; false: there is nothing to see of it. */
export function drawItem(
  article: HTMLElement,
  item: ThreadItem,
  around: Surroundings,
  growing: boolean,
): boolean {
  try {
    const shape = ITEMS[item.type];
    const wrong = shape ? oddIn(item, shape, nameOf(item)) : `${nameOf(item)} is not known`;
    if (!wrong) {
      const seen = draw(article, item, around, growing);
      keepFresh(article, () => around.renew(item.id));
      return seen;
    }
    nameOdd(wrong);
  } catch (error) {
    nameOdd(`${nameOf(item)} can't be drawn: ${String(error)}`);
  }
  article.replaceChildren(unreadable(item));
  return true;
}

function nameOf({ id, type }: ThreadItem): string {
  return `${id} (${type})`;
}

function draw(
  article: HTMLElement,
  item: ThreadItem,
  around: Surroundings,
  growing: boolean,
): boolean {
  switch (item.type) {
    case "user_message":
      drawSaid(article, item, around);
      return true;
    case "assistant_message":
      drawMessage(article, item, around, growing);
      return true;
    case "widget":
      drawActing(article, item, around);
      return true;
    case "workflow":
      drawWorkflow(article, nameOf(item), item.workflow, around.open, growing);
      return true;
    case "task":
      article.replaceChildren(taskLine(item.task, around.open));
      return true;
    case "generated_image":
      article.replaceChildren(
        item.image
          ? pictureOf(item.image.url, around)
          : h("p", { class: "caption" }, strings.makingImage),
      );
      return true;
    case "client_tool_call": {
      const line = strings.clientTool(item.name, item.status === "completed");
      article.replaceChildren(h("p", { class: "caption" }, line));
      return true;
    }
    case "structured_input":
      drawQuestions(article, item, around);
      return true;
    case "end_of_turn":
      return false;
  }
}

function drawActing(article: HTMLElement, item: WidgetItem, around: Surroundings): void {
  const { trouble, ...standing } = around.standing(item);
  const act = (asked: Asked) => around.act(asked, item);
  drawWidget(article, item.widget, { ...around, ...standing, act });
  const said = article.querySelector(":scope > .alert");
  if (said?.textContent === trouble?.message) return;
  said?.remove();
  if (trouble) article.append(alertBox(trouble));
}

function drawSaid(article: HTMLElement, item: UserMessageItem, around: Surroundings): void {
  const name = nameOf(item);
  const said = eachOf(`${name} content`, item.content, SHAPES.said, (part) =>
    part.type === "input_tag"
      ? named(
          around,
          { ...part, title: part.text } as Entity,
          `@${plain(part.text).replace(/^@/, "").replace(/\s+/g, " ")}`,
        )
      : document.createTextNode(part.text),
  );
  const before = article.querySelector(":scope > .files");
  const files = attachedFiles(before, `${name} attachments`, item);
  place(article, [
    ...(item.quoted_text
      ? [h("blockquote", { class: "quote", dir: "auto" }, item.quoted_text)]
      : []),
    ...(files ? [files] : []),
    ...(said.length ? [h("div", { class: "bubble", dir: "auto" }, ...said)] : []),
  ]);
}

function drawQuestions(
  article: HTMLElement,
  item: StructuredInputItem,
  around: Surroundings,
): void {
  const before = article.querySelector<HTMLElement>(".questions");
  const { trouble } = around.standing(item);
  const next = questions(item, around.busy, trouble, around.answer);
  if (!before) return article.replaceChildren(next);
  const root = article.getRootNode();
  const within = root instanceof ShadowRoot && before.contains(root.activeElement);
  replaceDrawing(before, next);
  // who has answered by keyboard stays where that is said
  if (within && !next.matches("form")) next.focus({ preventScroll: true });
}

function drawMessage(
  article: HTMLElement,
  item: AssistantMessageItem,
  around: Surroundings,
  growing: boolean,
): void {
  const { open, allowedImageDomains } = around;
  const name = `${nameOf(item)} content`;
  const old = [...article.children];
  const boxes = eachOf(name, item.content, SHAPES.said, (part, i) => {
    const before = old[i];
    const kept = before instanceof HTMLElement && before.matches(".part") ? before : null;
    const box = kept ?? h("div", { class: "part" }, h("div", { class: "prose" }));
    renderMarkdown(
      box.firstElementChild as HTMLElement,
      part.text,
      open,
      growing,
      allowedImageDomains,
    );
    box.children[1]?.remove();
    const sources = sourceList(`${name}[${i}].annotations`, part.annotations ?? [], around);
    if (sources) box.append(sources);
    return box;
  });
  boxes.forEach((box, i) => {
    if (box !== article.children[i]) article.insertBefore(box, article.children[i] ?? null);
  });
  while (article.children.length > boxes.length) article.lastElementChild?.remove();
}

/** The sources of a part, each once; null if it has none. */
function sourceList(
  name: string,
  annotations: readonly Annotation[],
  around: Surroundings,
): HTMLElement | null {
  const seen = new Set<string>();
  const entries = eachOf(name, annotations, SHAPES.annotation, ({ source }) => {
    const key = source.url ?? source.id ?? source.title;
    const again = seen.has(key);
    seen.add(key);
    return again ? document.createTextNode("") : h("span", {}, ...sourceNodes(source, around));
  });
  const lines = entries.filter((entry) => entry instanceof HTMLElement);
  if (!lines.length) return null;
  const attributes = { class: "sources", "aria-label": strings.sources };
  return h("ul", attributes, ...lines.map((line) => h("li", {}, line)));
}

function sourceNodes(source: Source, around: Surroundings): Node[] {
  if (source.type !== "entity") return sourceLink(source);
  const words = plain(source.title ?? "") || strings.sources;
  return [named(around, source as Entity, words)];
}

/** Something that is named: a button where it can be clicked or looked at. */
function named(around: Surroundings, entity: Entity, words: string): HTMLElement {
  const can = around.tags && entity.interactive === true && typeof entity.id === "string";
  const { id, title, group, data, icon: sign } = entity;
  const told = { id, title, interactive: true, ...(sign && { icon: sign }) };
  const whole = { ...told, ...(group && { group }), ...(data && { data }) };
  const met = ({ type }: Event) => around.met(node, type, whole);
  const node = h(
    can ? "button" : "span",
    {
      class: "tag",
      ...(can && { type: "button", onclick: met, onpointerenter: met, onfocus: met }),
    },
    typeof sign === "string" && sign ? icon(sign) : null,
    h("bdi", {}, words),
  );
  return node;
}

/** Draws a widget that is only looked at. */
export function drawPreview(
  host: HTMLElement,
  widget: unknown,
  open: (address: string) => void,
): void {
  const still = { busy: true, running: [], waits: false, allowedImageDomains: [] };
  drawWidget(host, widget as WidgetNode, { ...still, open, act: () => {} });
}

function pictureOf(address: string, { allowedImageDomains }: Surroundings): HTMLElement {
  const node = picture(address, strings.image, allowedImageDomains);
  node.classList.add("picture");
  return node;
}
