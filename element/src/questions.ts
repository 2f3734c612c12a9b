/** Questions of an item: a form while they wait for answers, and what became of them. */

import { alertBox } from "./alert";
import { h } from "./dom";
import { eachOf, oddIn, SHAPES } from "./odd";
import type { StructuredInput, StructuredInputItem } from "./protocol";
import type { Trouble } from "./room";
import { strings } from "./strings";

type Answer = (item: StructuredInputItem, values: Record<string, string[]> | null) => void;

/** `trouble`: what was said against the answers; it stands at the question that it names. */
export function questions(
  item: StructuredInputItem,
  busy: boolean,
  trouble: Trouble | null,
  answer: Answer,
): HTMLElement {
  const name = `${item.id} (${item.type}) inputs`;
  const said = trouble && alertBox(trouble);
  if (item.status !== "pending") {
    const drawn = eachOf(name, item.inputs, SHAPES.question, given);
    const state = h("p", { class: "caption" }, stateOf(item));
    return h("div", { class: "questions", tabindex: -1 }, ...drawn, state, said);
  }
  const drawn = eachOf(name, item.inputs, SHAPES.question, (input) => {
    const node = field(input);
    if (trouble && said && isAbout(trouble, input)) mark(node, said);
    return node;
  });
  const form = h("form", { class: "questions" }, ...drawn, !said?.parentNode && said);
  form.append(buttons(form, item, busy, answer));
  return form;
}

/** What is said of it aloud. */
export function becameOf(item: StructuredInputItem): string {
  const asked = readable(item).map((input) => input.question);
  return `${stateOf(item)}: ${asked.join(" ")}`;
}

function stateOf(item: StructuredInputItem): string {
  if (item.status !== "skipped") return strings[item.status === "pending" ? "asked" : "answered"];
  const left = readable(item).some((input) => input.answer);
  return left ? strings.skipped : strings.answeredNoMore;
}

function readable({ inputs }: StructuredInputItem): StructuredInput[] {
  return Array.isArray(inputs) ? inputs.filter((one) => !oddIn(one, SHAPES.question, "")) : [];
}

function buttons(
  form: HTMLFormElement,
  item: StructuredInputItem,
  busy: boolean,
  answer: Answer,
): HTMLElement {
  // what is disabled would lose the focus
  const off = { "aria-disabled": busy && "true" };
  const submit = h("button", { type: "submit", class: "filled", ...off }, strings.submit);
  const skip = h("button", { type: "button", class: "plain", ...off }, strings.skip);
  const send = (values: Record<string, string[]> | null) => {
    if (submit.ariaDisabled) return;
    submit.ariaDisabled = skip.ariaDisabled = "true";
    answer(item, values);
  };
  skip.addEventListener("click", () => send(null));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const values = filledIn(form);
    if (Object.values(values).some((given) => given.length)) return send(values);
    form.querySelector(":scope > .alert")?.remove();
    submit.parentElement!.before(alertBox({ message: strings.answerOne, way: null }));
    form.querySelector<HTMLElement>("input, textarea")?.focus();
  });
  return h("div", { class: "row" }, submit, skip);
}

/** The answers by the questions' ids; of one that is left out, none. */
function filledIn(form: HTMLFormElement): Record<string, string[]> {
  const data = new FormData(form);
  const fields = form.querySelectorAll<HTMLInputElement>("input, textarea");
  const ids = [...new Set([...fields].map((field) => field.name))];
  const said = (id: string) => data.getAll(id).map((value) => String(value).trim());
  return Object.fromEntries(ids.map((id) => [id, said(id).filter((value) => value !== "")]));
}

function field(input: StructuredInput): HTMLElement {
  const words = h("span", { class: "words", dir: "auto" }, input.question);
  const more = input.description ? h("span", { class: "caption" }, input.description) : null;
  if (input.type !== "multiple_choice") {
    const box = h("textarea", { name: input.id, rows: 2, placeholder: strings.yourAnswer });
    return h("div", {}, h("label", {}, words, more, box));
  }
  const type = input.multiple ? "checkbox" : "radio";
  const choices: HTMLInputElement[] = [];
  const options = eachOf("options", input.options ?? [], SHAPES.option, ({ value }) => {
    const choice = h("input", { type, name: input.id, value });
    choices.push(choice);
    return h("label", { class: "choice" }, choice, h("span", { dir: "auto" }, value));
  });
  const named = { "aria-label": strings.otherAnswer, placeholder: strings.otherAnswer };
  const other = h("input", { type: "text", name: input.id, ...named });
  if (!input.multiple) onlyOne(choices, other);
  return h("fieldset", {}, h("legend", {}, words), more, ...options, other);
}

/** One is chosen, or something else is written. */
function onlyOne(choices: readonly HTMLInputElement[], other: HTMLInputElement): void {
  other.addEventListener("input", () => {
    if (other.value.trim()) for (const choice of choices) choice.checked = false;
  });
  for (const choice of choices) choice.addEventListener("change", () => (other.value = ""));
}

/** Whether a chatbridge has said it of this question: it quotes its words. */
function isAbout({ message }: Trouble, { question }: StructuredInput): boolean {
  return question.split("\n").some((line) => message.includes(`“${line}”`));
}

function mark(node: HTMLElement, said: HTMLElement): void {
  said.id = `said-${crypto.getRandomValues(new Uint32Array(1))[0]}`;
  for (const field of node.querySelectorAll("input, textarea")) {
    field.ariaInvalid = "true";
    field.setAttribute("aria-describedby", said.id);
  }
  node.append(said);
}

function given({ question, answer }: StructuredInput): HTMLElement {
  const values = Array.isArray(answer?.values) && !answer.skipped ? answer.values : null;
  const words = values?.join(", ") ?? (answer && strings.skipped);
  const asked = h("strong", { class: "words", dir: "auto" }, question);
  return h("div", {}, asked, h("p", { dir: "auto" }, words));
}
