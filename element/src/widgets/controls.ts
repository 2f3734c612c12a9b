/** What is filled in or pressed: native controls, whose values ride in the action's payload. */

import { h } from "../dom";
import type { WidgetNode } from "../protocol";
import { style } from "./box";
import { fire, formAround, stateOf, told, valueOf, valuesOf, type Draw, type Scope } from "./scope";
import { choice, count, records, text } from "./values";

/** Heights in px; nothing is smaller than what a finger can hit. */
const HEIGHT = {
  "3xs": 24,
  "2xs": 24,
  xs: 26,
  sm: 28,
  md: 32,
  lg: 36,
  xl: 40,
  "2xl": 44,
  "3xl": 48,
};
const KIND = Object.fromEntries(
  ["text", "number", "email", "password", "tel", "url"].map((kind) => [kind, kind]),
);

/** Gives a control its look. */
function dress<T extends HTMLElement>(control: T, node: WidgetNode): T {
  const height = choice<number>(HEIGHT, node.size);
  style(control, "--height", height ? `${height}px` : null);
  control.classList.add("control");
  control.classList.toggle("pill", node.pill === true);
  control.classList.toggle("block", node.block === true);
  if (node.variant) control.dataset.variant = text(node.variant);
  return control;
}

const Button: Draw = (node, scope) => {
  const main = node.style === "primary" || (!node.style && !node.color && node.submit === true);
  const color = text(node.color) || (main ? "primary" : "secondary");
  const label = text(node.label);
  const [before, after] = [text(node.iconStart), text(node.iconEnd)];
  const mark = (name: string): Node[] =>
    name ? scope.draw({ type: "Icon", name, size: node.iconSize }) : [];
  const state = stateOf(scope, node.onClickAction);
  const button = h(
    "button",
    {
      type: node.submit === true && !node.onClickAction ? "submit" : "button",
      disabled: node.disabled === true,
      ...told(state),
      "aria-label": label ? null : (before || after).replaceAll("-", " "),
      "data-color": color,
      onclick: () => {
        const form = formAround(button);
        if (node.submit === true && form instanceof HTMLFormElement && !form.reportValidity())
          return;
        fire(scope, node.onClickAction, "self", valuesOf(form));
      },
    },
    ...(state === "runs" ? [h("span", { class: "spinner" })] : mark(before)),
    label && h("span", {}, label),
    ...mark(after),
  );
  dress(button, { variant: color === "secondary" ? "soft" : "solid", ...node });
  button.classList.toggle("uniform", node.uniform === true || !label);
  return button;
};

/** The attributes that every field has. Its name is the widget's own, so no field of another is met. */
function field(node: WidgetNode, scope: Scope): Record<string, string | boolean | EventListener> {
  const name = text(node.name);
  return {
    id: scope.field(name),
    name: scope.field(name),
    "data-name": name,
    required: node.required === true,
    disabled:
      node.disabled === true ||
      (!!node.onChangeAction && !scope.waits && stateOf(scope, node.onChangeAction) !== "ready"),
    onchange: ({ target }: Event) => {
      const changed = target as HTMLInputElement;
      const values = { ...valuesOf(formAround(changed)), ...valueOf(changed) };
      fire(scope, node.onChangeAction, "none", values);
    },
  };
}

/** A line of text to fill in. */
export const textField: Draw = (node, scope) => {
  const input = h("input", {
    ...field(node, scope),
    type: choice<string>(KIND, node.inputType) ?? "text",
    value: text(node.defaultValue),
    placeholder: text(node.placeholder) || null,
    pattern: text(node.pattern) || null,
    autocomplete: text(node.autoComplete) || (node.allowAutofillExtensions === true ? null : "off"),
    onfocus: node.autoSelect === true && (() => input.select()),
  });
  return dress(input, node);
};

const Textarea: Draw = (node, scope) => {
  const area = h(
    "textarea",
    {
      ...field(node, scope),
      placeholder: text(node.placeholder) || null,
      rows: count(node.rows) ?? 3,
      onfocus: node.autoSelect === true && (() => area.select()),
    },
    text(node.defaultValue),
  );
  area.classList.toggle("growing", node.autoResize === true);
  const most = count(node.maxRows);
  style(area, "max-block-size", most ? `calc(${most}lh + 1em)` : null);
  return dress(area, node);
};

const Select: Draw = (node, scope) => {
  const chosen = text(node.defaultValue);
  const options = records(node.options);
  const empty = !options.some((option) => text(option.value) === chosen);
  const placeholder = text(node.placeholder);
  const select = h(
    "select",
    field(node, scope),
    (empty || node.clearable === true || placeholder) &&
      h("option", { value: "", selected: empty, disabled: node.clearable !== true }, placeholder),
    ...options.map((option) =>
      h(
        "option",
        {
          value: text(option.value),
          selected: text(option.value) === chosen,
          disabled: option.disabled === true,
        },
        [text(option.label) || text(option.value), text(option.description)]
          .filter(Boolean)
          .join(" – "),
      ),
    ),
  );
  return dress(select, node);
};

const DatePicker: Draw = (node, scope) => {
  const day = (value: unknown): string | null => /^\d{4}-\d\d-\d\d/.exec(text(value))?.[0] ?? null;
  const input = h("input", {
    ...field(node, scope),
    type: "date",
    value: day(node.defaultValue),
    min: day(node.min),
    max: day(node.max),
    title: text(node.placeholder) || null,
  });
  return dress(input, node);
};

const Checkbox: Draw = (node, scope) =>
  h(
    "label",
    { class: "choice" },
    h("input", { ...field(node, scope), type: "checkbox", checked: node.defaultChecked === true }),
    h("span", {}, text(node.label) || text(node.name)),
  );

const RadioGroup: Draw = (node, scope) => {
  const name = text(node.name);
  const { id, ...shared } = field(node, scope);
  const group = h("div", {
    id: String(id),
    role: "radiogroup",
    "aria-label": text(node.ariaLabel) || null,
    class: node.direction === "row" ? "row" : "col",
  });
  for (const option of records(node.options)) {
    const value = text(option.value);
    const attributes = {
      ...shared,
      type: "radio",
      value,
      checked: value === text(node.defaultValue),
      ...(option.disabled === true && { disabled: true }),
    };
    const words = h("span", {}, text(option.label) || value);
    group.append(h("label", { class: "choice" }, h("input", attributes), words));
  }
  group.dataset.group = name;
  return group;
};

/** Gives every field without a label a name of its own, once the whole widget is there. */
export function nameFields(root: HTMLElement): void {
  const labels = new Map<string, HTMLElement>();
  for (const label of root.querySelectorAll<HTMLLabelElement>("label[for]"))
    labels.set(label.htmlFor, label);
  for (const field of root.querySelectorAll<HTMLInputElement>(
    ".control[data-name], [data-group]",
  )) {
    if (field.hasAttribute("aria-label")) continue;
    const label = labels.get(field.id);
    if (!label)
      field.setAttribute("aria-label", field.placeholder || field.title || fieldName(field));
    else if (field.dataset.group !== undefined) {
      label.id = `${field.id}-label`;
      field.setAttribute("aria-labelledby", label.id);
    }
  }
}

const fieldName = ({ dataset }: HTMLElement): string => dataset.name ?? dataset.group ?? "";

export const controls = {
  Button,
  Input: textField,
  Textarea,
  Select,
  DatePicker,
  Checkbox,
  RadioGroup,
};
