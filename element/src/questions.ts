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
    answer(item, Object.fromEntries(ids.map((id) => [id, data.getAll(id).map(String)])));
  });
  return form;
}

function field(input: StructuredInput): HTMLElement {
  if (input.type !== "multiple_choice") {
    const box = h("textarea", { name: input.id, rows: 2, "aria-label": strings.yourAnswer });
    const said = input.description ? h("span", { class: "caption" }, input.description) : null;
    return h("label", {}, input.question, said, box);
  }
  const type = input.multiple ? "checkbox" : "radio";
  const options = eachOf("options", input.options ?? [], SHAPES.option, ({ value }) =>
    h("label", { class: "choice" }, h("input", { type, name: input.id, value }), value),
  );
  return h("fieldset", {}, h("legend", {}, input.question), ...options);
}

function given({ question, answer }: StructuredInput): HTMLElement {
  const values = Array.isArray(answer?.values) && !answer.skipped ? answer.values : null;
  return h("div", {}, h("strong", {}, question), h("p", {}, values?.join(", ") ?? strings.skipped));
}
