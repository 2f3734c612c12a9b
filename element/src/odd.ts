/** What a server says, read with care: what is not as the protocol has it is named, and harms only itself. */

import { h } from "./dom";
import { icon } from "./icons";
import type { AssistantContent, Page, Thread, ThreadEvent, ThreadItem } from "./protocol";
import { strings } from "./strings";

/** What a value has to be. A member whose name ends in `?` may be missing. */
export type Shape = "text" | "list" | { readonly [member: string]: Shape };

const SOURCE = { "title?": "text", "url?": "text", "filename?": "text" } as const;
const TASK = {
  "title?": "text",
  "title_query?": "text",
  "content?": "text",
  "icon?": "text",
  "queries?": "list",
  "sources?": "list",
} as const;

/** The parts of items. */
export const SHAPES = {
  said: { text: "text", "annotations?": "list" },
  annotation: { source: SOURCE },
  source: SOURCE,
  file: { name: "text", "mime_type?": "text", "preview_url?": "text" },
  task: TASK,
  question: { id: "text", question: "text", "description?": "text", "options?": "list" },
  option: { value: "text" },
} satisfies Record<string, Shape>;

/** What each item needs to be drawn; the elements of its lists are looked at one by one. */
export const ITEMS: Readonly<Record<string, Shape>> = {
  user_message: { content: "list", "attachments?": "list", "quoted_text?": "text" },
  assistant_message: { content: "list" },
  widget: { widget: {}, "copy_text?": "text" },
  workflow: { workflow: { tasks: "list", "summary?": { "title?": "text", "icon?": "text" } } },
  task: { task: TASK },
  generated_image: { "image?": { url: "text" } },
  client_tool_call: { name: "text" },
  structured_input: { inputs: "list" },
  end_of_turn: {},
} satisfies Record<ThreadItem["type"], Shape>;

/** Where a value is not of a shape, in words; null if it is. */
export function oddIn(value: unknown, shape: Shape, name: string): string | null {
  if (shape === "text") return typeof value === "string" ? null : `${name} is ${kind(value)}`;
  if (shape === "list") return Array.isArray(value) ? null : `${name} is ${kind(value)}`;
  if (!isRecord(value)) return `${name} is ${kind(value)}`;
  for (const [key, inner] of Object.entries(shape)) {
    const member = key.replace("?", "");
    const given = value[member];
    if (key !== member && (given === null || given === undefined)) continue;
    const wrong = oddIn(given, inner, `${name}.${member}`);
    if (wrong) return wrong;
  }
  return null;
}

function kind(value: unknown): string {
  if (value === undefined) return "missing";
  if (value === null || typeof value !== "object") return JSON.stringify(value).slice(0, 40);
  return Array.isArray(value) ? "a list" : "an object";
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const MOST_NAMED = 200;
const named = new Set<string>();

/** Says in the console, once, what can't be read. */
export function nameOdd(what: string): void {
  if (named.has(what) || named.size >= MOST_NAMED) return;
  named.add(what);
  console.warn(`chatkit: ${what}`);
}

/** What stands for something that can't be read: that it can't, and every text in it. */
export function unreadable(value: unknown): HTMLElement {
  const words = wordsIn(value);
  const node = h(
    "div",
    { class: "unreadable" },
    icon("warning"),
    h("span", {}, strings.unreadable),
  );
  if (words) node.append(h("p", { class: "pre" }, words));
  return node;
}

/** The elements of a list, drawn; each that is odd is said to be, in its place. */
export function eachOf<T>(
  name: string,
  list: readonly T[],
  shape: Shape,
  draw: (part: T, index: number) => Node,
): Node[] {
  return list.map((part, i) => {
    const wrong = oddIn(part, shape, `${name}[${i}]`);
    if (!wrong) return draw(part, i);
    nameOdd(wrong);
    return unreadable(part);
  });
}

const WORDS = ["text", "title", "value", "content", "message", "label", "name"];

/** Every text in it, so that nothing that was said is hidden. */
export function wordsIn(value: unknown): string {
  const found: string[] = [];
  const seen = new Set<unknown>();
  const visit = (inner: unknown, name: string, depth: number): void => {
    if (typeof inner === "string") {
      if (WORDS.includes(name)) found.push(inner);
    } else if (inner && typeof inner === "object" && depth < 20 && !seen.has(inner)) {
      seen.add(inner);
      for (const [key, member] of Object.entries(inner))
        visit(member, Array.isArray(inner) ? name : key, depth + 1);
    }
  };
  visit(value, "", 0);
  return found.join("\n");
}

/** What a person has said, as it was written: a tag begins with an @. */
export function written(parts: readonly { type: string; text: string }[]): string {
  return parts.map(({ type, text }) => (type === "input_tag" ? `@${text}` : text)).join("");
}

/** The text that stands for an item when it is copied or read out. */
export function textOf(item: ThreadItem): string {
  if (item.type !== "assistant_message" && item.type !== "user_message") return "";
  const parts: readonly unknown[] = Array.isArray(item.content) ? item.content : [];
  const read = parts.filter((part): part is AssistantContent => !oddIn(part, SHAPES.said, ""));
  if (item.type === "user_message") return written(read);
  return read.map((part) => part.text).join("\n\n");
}

let nameless = 0;

/** An item that can be kept and drawn, whatever it is: it has an id and a type. */
export function readItem(value: unknown): ThreadItem {
  const item = isRecord(value) ? value : { value };
  const id = typeof item.id === "string" ? item.id : `nameless-${++nameless}`;
  const type =
    typeof item.type === "string" ? item.type : kind(isRecord(value) ? item.type : value);
  return { ...item, id, type } as unknown as ThreadItem;
}

/** A thread without what can't be read of it; null if nobody could open it. */
export function readThread(value: unknown): Thread | null {
  const wrong = oddIn(value, { id: "text" }, "a thread");
  if (wrong) nameOdd(wrong);
  if (wrong || !isRecord(value)) return null;
  const { items: _, ...thread } = value;
  const title = typeof thread.title === "string" ? thread.title : null;
  const domains = Array.isArray(thread.allowed_image_domains) ? thread.allowed_image_domains : [];
  const allowed_image_domains = domains.filter((domain) => typeof domain === "string");
  return { ...thread, title, allowed_image_domains } as unknown as Thread;
}

/** A page whose elements can be kept. */
export function readPage<T>(page: Page<T>, read: (value: unknown) => T | null): Page<T> {
  if (Array.isArray(page?.data))
    return { ...page, data: page.data.map(read).filter((one) => one !== null) };
  nameOdd(`a page's data is ${kind(page?.data)}`);
  return { data: [], has_more: false };
}

/** The event of a frame; one that can't be read is of a type that nobody knows. */
export function readEvent(data: string): ThreadEvent {
  let event: unknown = null;
  try {
    event = JSON.parse(data);
  } catch {
    nameOdd(`a frame is no JSON: ${data.slice(0, 80)}`);
  }
  return (isRecord(event) && readable(event)) || ({ type: "unreadable", event } as never);
}

function readable(event: Record<string, unknown>): ThreadEvent | null {
  const type = String(event.type);
  if (/^thread\.item\.(added|done|replaced)$/.test(type))
    return { ...event, item: readItem(event.item) } as never;
  if (type === "thread.created" || type === "thread.updated") {
    const thread = readThread(event.thread);
    return thread && ({ ...event, thread } as never);
  }
  const shape = EVENTS[type];
  const wrong = shape && oddIn(event, shape, type);
  if (wrong) nameOdd(wrong);
  return wrong ? null : (event as never);
}

/** Whether an answer may be read as that of an operation. */
export function isAnswer(type: string, answer: unknown): boolean {
  if (!answer || typeof answer !== "object") return false;
  const page: unknown = type === "threads.get_by_id" ? Reflect.get(answer, "items") : answer;
  const paged = page !== answer || type.endsWith(".list");
  return !paged || Array.isArray(page && Reflect.get(page, "data"));
}

const EVENTS: Readonly<Record<string, Shape>> = {
  "thread.item.updated": { item_id: "text", update: { type: "text" } },
  "thread.item.removed": { item_id: "text" },
  stream_options: { stream_options: {} },
  progress_update: { text: "text", "icon?": "text" },
  notice: { message: "text", "title?": "text" },
};
