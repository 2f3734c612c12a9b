/** What the drawing of one widget shares. */

import type { Action, WidgetNode } from "../protocol";
import { record, text } from "./values";

/** What a widget needs from around it. */
export interface WidgetContext {
  /** Gets the whole action of the wire (handler and the like too), the form's values in its payload. */
  act(action: Action): void;
  open(address: string): void;
  /** While an answer runs: what would act stands still. */
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

/** Acts, if this is an action and nothing runs. */
export function fire(scope: Scope, action: unknown, values: Record<string, unknown> = {}): void {
  const config = record(action);
  if (!config || typeof config.type !== "string" || scope.busy) return;
  const { payload } = config;
  const fields = Object.keys(values).length > 0;
  // A payload that is not an object has no place for fields; it is the server's own word and stays.
  const merged = record(payload ?? {}) && fields ? { ...record(payload), ...values } : payload;
  scope.act({ ...config, type: config.type, ...(merged !== undefined && { payload: merged }) });
}

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
