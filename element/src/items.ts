/** One item of a thread, drawn. */

import { h, safeUrl } from "./dom";
import { icon } from "./icons";
import { renderMarkdown } from "./markdown";
import type {
  Action,
  AssistantMessageItem,
  GeneratedImageItem,
  Source,
  StructuredInput,
  StructuredInputItem,
  Task,
  ThreadItem,
  UserMessageItem,
  WidgetItem,
  WorkflowItem,
} from "./protocol";
import { strings } from "./strings";

/** What an item needs from around it. */
export interface Surroundings {
  busy: boolean;
  /** What draws widgets; null while its file is not there. */
  widgets: typeof import("./widgets") | null;
  allowedImageDomains: readonly string[] | null;
  open(address: string): void;
  act(action: Action, item: WidgetItem): void;
  answer(item: StructuredInputItem, values: Record<string, string[]> | null): void;
}

/** Draws the item into its article, again and again while it grows; false: there is nothing to see of it. */
export function drawItem(
  article: HTMLElement,
  item: ThreadItem,
  around: Surroundings,
  growing: boolean,
): boolean {
  switch (item.type) {
    case "user_message":
      article.replaceChildren(...userMessage(item));
      return true;
    case "assistant_message":
      drawMessage(article, item, around, growing);
      return true;
    case "widget":
      if (around.widgets) {
        const { busy, allowedImageDomains, open } = around;
        const act = (action: Action) => around.act(action, item);
        around.widgets.drawWidget(article, item.widget, { busy, allowedImageDomains, open, act });
      } else {
        article.replaceChildren(h("p", { class: "caption pre" }, item.copy_text ?? wordsIn(item)));
      }
      return true;
    case "workflow":
      drawWorkflow(article, item);
      return true;
    case "task":
      article.replaceChildren(taskLine(item.task));
      return true;
    case "generated_image":
      article.replaceChildren(image(item, around));
      return true;
    case "client_tool_call": {
      const line = strings.clientTool(item.name, item.status === "completed");
      article.replaceChildren(h("p", { class: "caption" }, line));
      return true;
    }
    case "structured_input":
      article.replaceChildren(questions(item, around));
      return true;
    case "end_of_turn":
      return false;
    default:
      article.replaceChildren(unknownItem(item satisfies never));
      return true;
  }
}

/** The text that stands for an item when it is copied or read out. */
export function textOf(item: ThreadItem): string {
  return item.type === "assistant_message" || item.type === "user_message"
    ? item.content.map((part) => part.text).join("\n\n")
    : "";
}

function userMessage(item: UserMessageItem): Node[] {
  const said = item.content.map((part) =>
    part.type === "input_tag" ? h("span", { class: "tag" }, `@${part.text}`) : part.text,
  );
  const files = (item.attachments ?? []).map((file) =>
    h("span", { class: "file" }, icon("document"), file.name),
  );
  return [
    ...(item.quoted_text
      ? [h("blockquote", { class: "quote", dir: "auto" }, item.quoted_text)]
      : []),
    h("div", { class: "bubble", dir: "auto" }, ...said),
    ...(files.length ? [h("div", { class: "files" }, ...files)] : []),
  ];
}

function drawMessage(
  article: HTMLElement,
  item: AssistantMessageItem,
  { open }: Surroundings,
  growing: boolean,
): void {
  item.content.forEach((part, i) => {
    let box = article.children[i];
    if (!(box instanceof HTMLElement)) article.append((box = h("div", { class: "part" })));
    let prose = box.firstElementChild;
    if (!(prose instanceof HTMLElement)) box.append((prose = h("div", { class: "prose" })));
    renderMarkdown(prose as HTMLElement, part.text, open, growing);
    const sources = (part.annotations ?? []).map((annotation) => annotation.source);
    box.children[1]?.remove();
    if (sources.length) box.append(sourceList(sources));
  });
  while (article.children.length > item.content.length) article.lastElementChild?.remove();
}

function sourceList(sources: readonly Source[]): HTMLElement {
  const seen = new Map(sources.map((source) => [source.url ?? source.title, source]));
  const entries = [...seen.values()].map((source) => h("li", {}, sourceLink(source)));
  return h("ul", { class: "sources", "aria-label": strings.sources }, ...entries);
}

function sourceLink(source: Source): Node {
  const href = source.url && safeUrl(source.url);
  const title = source.title || source.filename || source.url || "";
  return href
    ? h("a", { href, target: "_blank", rel: "noopener noreferrer" }, title)
    : h("span", {}, title);
}

function drawWorkflow(article: HTMLElement, { workflow }: WorkflowItem): void {
  const { summary, tasks } = workflow;
  const headline =
    summary?.title ??
    (summary?.duration === undefined ? undefined : strings.thoughtFor(summary.duration)) ??
    tasks.at(-1)?.title ??
    strings.working;
  const old = article.querySelector("details");
  const open = old ? old.open : (workflow.expanded ?? false) || !summary;
  article.replaceChildren(
    h(
      "details",
      { class: "workflow", open },
      h("summary", {}, icon("chevron-right"), h("span", {}, headline)),
      h("div", { class: "tasks" }, ...tasks.map(taskLine)),
    ),
  );
}

function taskLine(task: Task): HTMLElement {
  const status = task.status_indicator ?? "none";
  const title = task.title || task.title_query || "";
  const mark =
    status === "complete"
      ? icon("check")
      : status === "loading"
        ? h("span", { class: "spinner" })
        : icon(task.icon ?? "dot");
  return h(
    "div",
    { class: "task", "data-task-type": task.type, "data-status": status },
    h("span", { class: "mark", role: "img", "aria-label": strings.status[status] }, mark),
    h(
      "div",
      { class: "task-body" },
      title && h("div", {}, title),
      task.content && h("div", { class: "caption pre" }, task.content),
      ...(task.queries ?? []).map((query) => h("div", { class: "caption" }, query)),
      ...(task.sources ?? []).map((source) => h("div", { class: "caption" }, sourceLink(source))),
    ),
  );
}

function image(item: GeneratedImageItem, around: Surroundings): Node {
  const src = item.image && pictureUrl(item.image.url, around.allowedImageDomains);
  return src
    ? h("img", { src, alt: strings.image, class: "picture" })
    : h("p", { class: "caption" }, strings.makingImage);
}

function pictureUrl(address: string, domains: readonly string[] | null): string | null {
  if (address.startsWith("data:image/")) return address;
  const url = safeUrl(address);
  return url && (!domains || domains.includes(new URL(url).hostname)) ? url : null;
}

function questions(item: StructuredInputItem, around: Surroundings): HTMLElement {
  const open = item.status === "pending";
  const form = h(
    "form",
    { class: "questions" },
    ...item.inputs.map((input) => (open ? field(input) : given(input))),
  );
  if (!open) return form;
  const skip = h("button", { type: "button", class: "plain" }, strings.skip);
  const submit = h("button", { type: "submit", class: "filled" }, strings.submit);
  skip.disabled = submit.disabled = around.busy;
  form.append(h("div", { class: "row" }, submit, skip));
  skip.addEventListener("click", () => around.answer(item, null));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const data = new FormData(form);
    const values = item.inputs.map(({ id }) => [id, data.getAll(id).map(String)] as const);
    around.answer(item, Object.fromEntries(values));
  });
  return form;
}

function field(input: StructuredInput): HTMLElement {
  if (input.type !== "multiple_choice") {
    const box = h("textarea", { name: input.id, rows: 2, "aria-label": strings.yourAnswer });
    return h("label", {}, input.question, caption(input.description), box);
  }
  const options = (input.options ?? []).map(({ value }) => {
    const type = input.multiple ? "checkbox" : "radio";
    return h("label", { class: "choice" }, h("input", { type, name: input.id, value }), value);
  });
  return h("fieldset", {}, h("legend", {}, input.question), ...options);
}

function given({ question, answer }: StructuredInput): HTMLElement {
  const values = answer && !answer.skipped ? answer.values.join(", ") : strings.skipped;
  return h("div", {}, h("strong", {}, question), h("p", {}, values));
}

function caption(text: string | null | undefined): Node | null {
  return text ? h("span", { class: "caption" }, text) : null;
}

/** Every text in it, so that nothing that was said is hidden. */
function wordsIn(item: unknown): string {
  const found: string[] = [];
  const visit = (value: unknown, name: string, depth: number): void => {
    if (
      typeof value === "string" &&
      ["text", "title", "value", "content", "message"].includes(name)
    )
      found.push(value);
    else if (value && typeof value === "object" && depth < 20)
      for (const [key, member] of Object.entries(value))
        visit(member, Array.isArray(value) ? name : key, depth + 1);
  };
  visit(item, "", 0);
  return found.join("\n");
}

function unknownItem(item: unknown): Node {
  return h("p", { class: "caption pre" }, wordsIn(item) || strings.unknownItem);
}
