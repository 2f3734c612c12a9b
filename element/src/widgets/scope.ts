/** What the drawing of one widget shares. */

import { needsTurn, type Asked, type Loading, type Standing } from "../actions";
import { nameOdd } from "../odd";
import type { ActionConfig, WidgetNode } from "../protocol";
import { choice, record, text } from "./values";

/** What a widget needs from around it. */
export interface WidgetContext extends Pick<Standing, "running" | "waits"> {
  act(asked: Asked): void;
  open(address: string): void;
  /** While an answer runs: what would begin another stands still. */
  busy: boolean;
  /** The domains from which pictures are loaded by themselves, with what is below them. */
  allowedImageDomains: readonly string[];
}

export interface Scope extends WidgetContext {
  /** The nodes of a member that holds components or text. */
  draw(children: unknown): Node[];
  /** The id of a field in this drawing. */
  field(name: string): string;
}

export type Draw = (node: WidgetNode, scope: Scope) => HTMLElement;

/** What can be done about an action: it can be asked for, has to wait, or runs and shows it. */
export type State = "ready" | "stands" | "runs";

export function stateOf(scope: Scope, action: unknown): State {
  const config = offered(action);
  if (config && scope.running.includes(keyOf(config))) return "runs";
  return scope.waits || (config && scope.busy && needsTurn(config)) ? "stands" : "ready";
}

/** The attributes that tell it. */
export const told = (state: State): Record<string, string | false> => ({
  "aria-disabled": state !== "ready" && "true",
  "aria-busy": state === "runs" && "true",
});

const LOADING: Readonly<Record<string, Loading>> = {
  none: "none",
  self: "self",
  container: "container",
};

/** Acts, if this is an action that can be asked for. `usual`: what shows that it runs, unless it says so itself. */
export function fire(
  scope: Scope,
  action: unknown,
  usual: Loading,
  values: Record<string, unknown> = {},
): void {
  const config = offered(action);
  if (!config || stateOf(scope, config) !== "ready") return;
  const payload = withFields(config.payload, values);
  const loading = choice(LOADING, config.loadingBehavior) ?? usual;
  const asked = payload === undefined ? config : { ...config, payload };
  scope.act({ action: asked, key: keyOf(config), loading });
}

const keyOf = (config: ActionConfig): string => JSON.stringify(config);

function offered(action: unknown): ActionConfig | null {
  const config = record(action);
  return config && typeof config.type === "string" ? (config as unknown as ActionConfig) : null;
}

/**
 * A payload with what the fields hold, each under its name; "a.b" is b within a. What the widget has fixed stays,
 * and a payload that is not an object has no place for fields: it is the server's own word.
 */
function withFields(payload: unknown, values: Record<string, unknown>): unknown {
  const fixed = record(payload ?? {});
  if (!fixed || !Object.keys(values).length) return payload;
  const fields = nested(values);
  for (const name of Object.keys(fields))
    if (Object.hasOwn(fixed, name)) nameOdd(`a field ${name} is left out: the payload has it`);
  return { ...fields, ...fixed };
}

function nested(values: Record<string, unknown>): Record<string, unknown> {
  const tree = Object.create(null) as Record<string, unknown>;
  for (const [name, value] of Object.entries(values)) {
    const path = name.split(".");
    const last = path.pop()!;
    let at = tree;
    for (const step of path) {
      const inner = record(at[step]) ?? (Object.create(null) as Record<string, unknown>);
      at[step] = inner;
      at = inner;
    }
    at[last] = value;
  }
  return tree;
}

/** The form around a control, as far as its drawing goes. */
export const formAround = (control: HTMLElement): HTMLElement | null =>
  control.closest<HTMLElement>("[data-form]");

type Field = HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement;

/** What the fields within hold, by name: a text, or for a checkbox whether it is set. */
export function valuesOf(form: HTMLElement | null): Record<string, unknown> {
  const fields = [...(form?.querySelectorAll<Field>("[data-name]") ?? [])];
  return Object.assign({}, ...fields.map(valueOf)) as Record<string, unknown>;
}

/** The one value of a field, by its name; nothing of a radio button that is not chosen. */
export function valueOf(field: Field): Record<string, unknown> {
  const name = field.dataset.name ?? "";
  if (field.type === "radio" && !(field as HTMLInputElement).checked) return {};
  if (field.type === "checkbox") return { [name]: (field as HTMLInputElement).checked };
  return { [name]: field.value };
}

const WORDS = ["title", "label", "value", "text"];

/** What a component says by itself. */
export const ownWords = (node: Record<string, unknown>): string[] =>
  WORDS.map((member) => text(node[member])).filter((word) => word.trim());

/** Everything that a tree says, in order, however deep and whatever its components are. */
export function wordsOf(tree: unknown): string[] {
  const words: string[] = [];
  const open: unknown[] = [tree];
  const seen = new Set<unknown>();
  while (open.length > 0) {
    const next = open.pop();
    const node = record(next);
    if (typeof next === "object" && seen.has(next)) continue;
    seen.add(next);
    if (node) {
      words.push(...ownWords(node));
      open.push(node.children);
    } else if (Array.isArray(next)) open.push(...next.toReversed());
    else words.push(text(next));
  }
  return words.filter((word) => word.trim());
}
