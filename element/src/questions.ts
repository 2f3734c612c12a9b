/** Questions of an item, as a form while they wait for answers. */

import { h } from "./dom";
import { eachOf, SHAPES } from "./odd";
import type { StructuredInput, StructuredInputItem } from "./protocol";
import { strings } from "./strings";

type Answer = (item: StructuredInputItem, values: Record<string, string[]> | null) => void;

export function questions(item: StructuredInputItem, busy: boolean, answer: Answer): HTMLElement {
  const open = item.status === "pending";
  const name = `${item.id} (${item.type})`;
  const drawn = eachOf(`${name} inputs`, item.inputs, SHAPES.question, open ? field : given);
  const form = h("form", { class: "questions" }, ...drawn);
  if (!open) return form;
  const skip = h("button", { type: "button", class: "plain" }, strings.skip);
  const submit = h("button", { type: "submit", class: "filled" }, strings.submit);
  skip.disabled = submit.disabled = busy;
  form.append(h("div", { class: "row" }, submit, skip));
  skip.addEventListener("click", () => answer(item, null));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const data = new FormData(form);
    const fields = form.querySelectorAll<HTMLInputElement>("input, textarea");
    const ids = [...new Set([...fields].map((field) => field.name))];
    answer(item, Object.fromEntries(ids.map((id) => [id, said(data.getAll(id))])));
  });
  return form;
}

/** The answers to a question; none: it is left out. */
function said(values: readonly FormDataEntryValue[]): string[] {
  return values.map((value) => String(value).trim()).filter((value) => value !== "");
}

function field(input: StructuredInput): HTMLElement {
  if (input.type !== "multiple_choice") {
    const box = h("textarea", { name: input.id, rows: 2, placeholder: strings.yourAnswer });
    const said = input.description ? h("span", { class: "caption" }, input.description) : null;
    return h("label", {}, input.question, said, box);
  }
  const type = input.multiple ? "checkbox" : "radio";
  const choices: HTMLInputElement[] = [];
  const options = eachOf("options", input.options ?? [], SHAPES.option, ({ value }) => {
    const choice = h("input", { type, name: input.id, value });
    choices.push(choice);
    return h("label", { class: "choice" }, choice, value);
  });
  const words = { "aria-label": strings.otherAnswer, placeholder: strings.otherAnswer };
  const other = h("input", { type: "text", name: input.id, ...words });
  if (!input.multiple) onlyOne(choices, other);
  return h("fieldset", {}, h("legend", {}, input.question), ...options, other);
}

/** One is chosen, or something else is written. */
function onlyOne(choices: readonly HTMLInputElement[], other: HTMLInputElement): void {
  other.addEventListener("input", () => {
    if (other.value.trim()) for (const choice of choices) choice.checked = false;
  });
  for (const choice of choices) choice.addEventListener("change", () => (other.value = ""));
}

function given({ question, answer }: StructuredInput): HTMLElement {
  const values = Array.isArray(answer?.values) && !answer.skipped ? answer.values : null;
  return h("div", {}, h("strong", {}, question), h("p", {}, values?.join(", ") ?? strings.skipped));
}
