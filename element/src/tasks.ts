/** Workflows and their tasks: what was done, step by step; open while it goes on, then folded. */

import { h, place } from "./dom";
import { icon } from "./icons";
import { link } from "./link";
import { renderMarkdown } from "./markdown";
import { eachOf, SHAPES } from "./odd";
import type { Source, Task, Workflow } from "./protocol";
import { strings } from "./strings";

type Open = (address: string) => void;

/** Draws it in the place of its last drawing; what a person has opened or folded stays so. */
export function drawWorkflow(
  article: HTMLElement,
  name: string,
  workflow: Workflow,
  open: Open,
  growing: boolean,
): void {
  const runs = growing && !workflow.summary;
  const details = article.querySelector("details") ?? folder(article);
  const [summary, steps] = [details.children[0]!, details.children[1]!];
  if (details.dataset.chosen === undefined) details.open = runs || workflow.expanded === true;
  const words = headline(workflow, runs && !details.open, runs);
  const sign = workflow.summary?.icon ?? "";
  if (summary.textContent !== words || sign !== details.dataset.icon) {
    const mark = sign ? [icon(sign)] : [];
    summary.replaceChildren(icon("chevron-right"), ...mark, h("span", {}, words));
    details.dataset.icon = sign;
  }
  details.classList.toggle("runs", runs);
  place(
    steps,
    eachOf(`${name} tasks`, workflow.tasks, SHAPES.task, (task) => drawnOnce(task, open)),
  );
}

function folder(article: HTMLElement): HTMLDetailsElement {
  const summary = h("summary");
  const details = h("details", { class: "workflow" }, summary, h("div", { class: "tasks" }));
  summary.addEventListener("click", () => (details.dataset.chosen = ""));
  article.replaceChildren(details);
  return details;
}

/** Of one that runs folded, what is done just now. */
function headline({ type, summary, tasks }: Workflow, folded: boolean, runs: boolean): string {
  if (summary?.title) return summary.title;
  if (typeof summary?.duration === "number") return strings.thoughtFor(summary.duration);
  const reasons = type === "reasoning";
  if (!runs && reasons) return strings.thought;
  if (!runs && tasks.length) return strings.steps(tasks.length);
  const last = folded ? tasks.at(-1) : undefined;
  return (last && titleOf(last)) || (reasons ? strings.thinking : strings.working);
}

/** A task that has not changed keeps its line. */
const lines = new WeakMap<Task, HTMLElement>();

function drawnOnce(task: Task, open: Open): HTMLElement {
  const line = lines.get(task) ?? taskLine(task, open);
  lines.set(task, line);
  return line;
}

const ICONS: Readonly<Record<string, string>> = {
  web_search: "search",
  thought: "lightbulb",
  file: "document",
  image: "image",
};

const titleOf = ({ title, title_query: query }: Task): string => title || query || "";

export function taskLine(task: Task, open: Open): HTMLElement {
  const status = task.status_indicator ?? "none";
  const kind = Object.hasOwn(ICONS, task.type) ? ICONS[task.type] : null;
  const mark =
    status === "complete"
      ? icon("check")
      : status === "loading"
        ? h("span", { class: "spinner" })
        : icon(task.icon ?? kind ?? "dot");
  const title = titleOf(task) || (task.content ? "" : (strings.tasks[task.type] ?? ""));
  const content = h("div", { class: "caption prose" });
  if (task.content) renderMarkdown(content, task.content, open);
  return h(
    "div",
    { class: "task", "data-task-type": task.type, "data-status": status },
    h("span", { class: "mark", role: "img", "aria-label": strings.status[status] }, mark),
    h("div", { class: "task-body" }, title && h("div", {}, title), content, found(task)),
  );
}

/** What was searched for, and what was found or read. */
function found(task: Task): HTMLElement {
  const queries = (task.queries ?? []).filter((query) => typeof query === "string");
  const sources = eachOf("a task's sources", task.sources ?? [], SHAPES.source, (source) =>
    h("li", {}, ...sourceLink(source)),
  );
  return h(
    "div",
    { class: "caption found" },
    ...queries.map((query) => h("div", {}, icon("search"), h("span", {}, query))),
    sources.length > 0 && h("ul", { "aria-label": strings.sources }, ...sources),
  );
}

export function sourceLink(source: Source): Node[] {
  return link(source.url, source.title || source.filename || source.url || "");
}
