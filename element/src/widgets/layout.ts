/** What holds other components. */

import { h } from "../dom";
import { icon } from "../icons";
import { keptId, picture } from "../picture";
import type { WidgetNode } from "../protocol";
import { strings } from "../strings";
import { container, space, style } from "./box";
import { fire, formAround, stateOf, told, valuesOf, wordsOf, type Draw, type Scope } from "./scope";
import { choice, color, count, length, record, records, text } from "./values";

const box =
  (direction: (node: WidgetNode) => unknown): Draw =>
  (node, scope) => {
    const element = h("div", {}, ...scope.draw(node.children));
    container(element, node, direction(node));
    return element;
  };

const Row = box(() => "row");
const column = box(() => "col");

/** What a chatbridge calls the part of a line that is opened with the line. */
const DETAILS = "chatbridge-details";

export const isDetails = (part: unknown): boolean => record(part)?.key === DETAILS;

/** What a chatbridge calls a part whose one link leads to something that can be heard. */
const AUDIO = "chatbridge-audio";

const Col: Draw = (node, scope) => {
  if (node.key === AUDIO) return audio(column(node, scope));
  const parts = [node.children].flat();
  const line = parts.filter((part) => !isDetails(part));
  if (!line.length || line.length === parts.length) return column(node, scope);
  const summary = h("summary", {}, h("div", { class: "col" }, ...scope.draw(line)));
  summary.append(icon("chevron-right"));
  const element = h("details", {}, summary, ...scope.draw(parts.filter(isDetails)));
  container(element, node, "col");
  element.classList.add("line");
  return element;
};

/** What is played, above the link to it; only what chatbridge keeps is loaded by itself. */
function audio(element: HTMLElement): HTMLElement {
  const link = element.querySelector("a");
  if (link && keptId(link.href)) {
    const name = link.textContent;
    element.prepend(
      h("audio", { controls: true, preload: "metadata", src: link.href, "aria-label": name }),
    );
  }
  return element;
}

const Box = box((node) => node.direction);

const Basic: Draw = (node, scope) => {
  const element = Box(node, scope);
  scheme(element, node);
  return element;
};

/** What a chatbridge calls a form whose buttons answer what it begins with. */
const ASKED = "chatbridge-asked";

export const isAsked = (part: unknown): boolean => record(part)?.key === ASKED;

let asked = 0;

const Form: Draw = (node, scope) => {
  const form = formOf(node.onSubmitAction, scope, scope.draw(node.children));
  container(form, node, node.direction);
  if (isAsked(node)) nameAnswers(form, `asked-${++asked}`);
  return form;
};

/** A button alone says to no reader what it answers. */
function nameAnswers(form: HTMLElement, id: string): void {
  const [question] = form.children;
  if (!question) return;
  question.id = id;
  form.querySelectorAll("button.control").forEach((button, i) => {
    button.id = `${id}-${i}`;
    button.setAttribute("aria-labelledby", `${button.id} ${id}`);
  });
}

function formOf(action: unknown, scope: Scope, parts: Node[]): HTMLFormElement {
  const state = stateOf(scope, action);
  const onsubmit = (event: Event) => {
    event.preventDefault();
    fire(scope, action, "container", valuesOf(form));
  };
  const { "aria-busy": busy } = told(state);
  const form = h("form", { "data-form": "", "aria-busy": busy, onsubmit }, ...parts);
  if (state !== "ready")
    for (const submit of form.querySelectorAll("button[type=submit]"))
      submit.setAttribute("aria-disabled", "true");
  return form;
}

const CARD = { sm: "sm", md: "md", lg: "lg", full: "full" };

const Card: Draw = (node, scope) => {
  const confirm = record(node.confirm);
  const asForm = node.asForm === true;
  const status = statusOf(node.status, scope);
  const body = [...scope.draw(node.children), footer(node, scope)].filter((part) => part !== null);
  const inside = node.collapsed === true ? [folded(node, status, body)] : [status, ...body];
  const parts = inside.filter((part) => part !== null);
  const card = asForm ? formOf(confirm?.action, scope, parts) : h("div", {}, ...parts);
  card.dataset.size = choice<string>(CARD, node.size) ?? "md";
  style(card, "background-color", color(node.background, "surface"));
  container(card, { type: "Card", padding: node.padding, border: node.border }, "col");
  scheme(card, node);
  return card;
};

function folded(node: WidgetNode, status: HTMLElement | null, body: Node[]): HTMLElement {
  const summary = status ?? h("span", {}, wordsOf(node.children)[0] ?? strings.showMore);
  const inside = h("div", { class: "col" }, ...body);
  return h("details", {}, h("summary", {}, icon("chevron-right"), summary), inside);
}

/** The card's own buttons: what cancels, then what confirms. */
function footer(node: WidgetNode, scope: Scope): HTMLElement | null {
  const buttons = (["cancel", "confirm"] as const).flatMap((role) => {
    const given = record(node[role]);
    if (!given) return [];
    const submit = role === "confirm" && node.asForm === true;
    return scope.draw({
      type: "Button",
      label: text(given.label),
      style: role === "confirm" ? "primary" : "secondary",
      ...(submit ? { submit } : { onClickAction: forTheWhole(given.action) }),
    });
  });
  return buttons.length > 0 ? h("div", { class: "row footer" }, ...buttons) : null;
}

/** What decides on a card is waited for by the whole card, unless it says otherwise. */
function forTheWhole(action: unknown): unknown {
  const config = record(action);
  const auto = config && (config.loadingBehavior ?? "auto") === "auto";
  return auto ? { ...config, loadingBehavior: "container" } : action;
}

function statusOf(value: unknown, scope: Scope): HTMLElement | null {
  const status = record(value);
  if (!status) return null;
  const line = h("div", { class: "status" });
  if (status.favicon) {
    const favicon = picture(text(status.favicon), "", scope.allowedImageDomains);
    favicon.classList.toggle("framed", status.frame === true);
    line.append(favicon);
  } else if (status.icon) line.append(icon(text(status.icon)));
  line.append(h("span", {}, text(status.text)));
  return line;
}

function scheme(element: HTMLElement, node: WidgetNode): void {
  if (node.theme === "light" || node.theme === "dark") element.dataset.scheme = node.theme;
}

/** How many items a list shows that leaves it to us. */
const AUTO = 6;

const ListView: Draw = (node, scope) => {
  const items = scope
    .draw(node.children)
    .map((item) => (item instanceof HTMLLIElement ? item : h("li", {}, item)));
  const view = h("div", {});
  scheme(view, node);
  const status = statusOf(node.status, scope);
  if (status) view.append(status);
  view.append(h("ul", { role: "list" }, ...items));
  const limit = node.limit === "auto" ? AUTO : count(node.limit);
  if (!limit || items.length <= limit) return view;
  for (const item of items.slice(limit)) item.hidden = true;
  const more = h(
    "button",
    {
      type: "button",
      class: "control more",
      "data-variant": "ghost",
      "data-color": "secondary",
      onclick: () => {
        for (const item of items) item.hidden = false;
        view.dataset.expanded = "";
        more.remove();
        items[limit]?.querySelector<HTMLElement>("button")?.focus();
      },
    },
    strings.showMore,
  );
  view.append(more);
  return view;
};

const ListViewItem: Draw = (node, scope) => {
  const item = h("li", {}, ...scope.draw(node.children));
  container(item, { ...node, align: node.align ?? "center" }, "row");
  if (!record(node.onClickAction)) return item;
  // The button lies over the whole row, so that whatever else the row holds is not inside of it.
  const state = stateOf(scope, node.onClickAction);
  const attributes = {
    type: "button",
    class: "cover",
    "aria-label": wordsOf(node.children).join(" "),
    ...told(state),
    onclick: () => fire(scope, node.onClickAction, "self", valuesOf(formAround(item))),
  };
  item.prepend(h("button", attributes));
  return item;
};

const Spacer: Draw = (node) => {
  const spacer = h("div", {});
  const least = length(node.minSize);
  style(spacer, "min-inline-size", least);
  style(spacer, "min-block-size", least);
  return spacer;
};

const Divider: Draw = (node) => {
  const line = h("hr", { class: node.flush === true ? "flush" : null });
  style(line, "border-block-start-color", color(node.color, "line"));
  style(line, "border-block-start-width", length(node.size));
  style(line, "margin-block", length(node.spacing, 4));
  return line;
};

const Transition: Draw = (node, scope) => h("div", { class: "col" }, ...scope.draw(node.children));

const Table: Draw = (node, scope) =>
  h("div", { class: "table" }, h("table", {}, h("tbody", {}, ...scope.draw(node.children))));

const TableRow: Draw = (node, scope) => {
  const cells = [node.children].flat().map((cell) => {
    const known = record(cell);
    return known && node.header === true ? { ...known, header: true } : cell;
  });
  return h("tr", {}, ...scope.draw(cells));
};

const ALIGN = { start: "start", center: "center", end: "end" };
const VERTICAL = { start: "top", center: "middle", end: "bottom" };
const COLUMN = { xs: "4rem", sm: "6rem", md: "9rem", lg: "12rem", xl: "16rem" };

const TableCell: Draw = (node, scope) => {
  const cell = h(
    node.header === true ? "th" : "td",
    { colspan: count(node.colSpan), rowspan: count(node.rowSpan) },
    text(node.value),
    ...scope.draw(node.children),
  );
  space(cell, "padding", node.padding);
  style(cell, "inline-size", length(node.width) ?? choice(COLUMN, node.colSize));
  style(cell, "text-align", choice(ALIGN, node.align));
  style(cell, "vertical-align", choice(VERTICAL, node.vAlign));
  return cell;
};

/** A chart as the table of its numbers, which every reader can use. */
const Chart: Draw = (node, scope) => {
  const axis = record(node.xAxis);
  const key = text(axis ? axis.dataKey : node.xAxis);
  const names = record(axis?.labels) ?? {};
  const series = records(node.series);
  const cell = (value: unknown): WidgetNode => ({ type: "Table.Cell", value: text(value) });
  const head = series.map((one) => cell(text(one.label) || one.dataKey));
  const rows: WidgetNode[] = records(node.data).map((data) => {
    const name = text(data[key]);
    const numbers = series.map((one) => cell(data[text(one.dataKey)]));
    return { type: "Table.Row", children: [cell(names[name] ?? name), ...numbers] };
  });
  const header: WidgetNode = { type: "Table.Row", header: true, children: [cell(""), ...head] };
  return Table({ type: "Table", children: [header, ...rows] }, scope);
};

export const layout = {
  Basic,
  Box,
  Card,
  Chart,
  Col,
  Divider,
  Form,
  ListView,
  ListViewItem,
  Row,
  Spacer,
  Table,
  "Table.Row": TableRow,
  "Table.Cell": TableCell,
  Transition,
};
