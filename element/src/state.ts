/** What a thread shows: the fold of a stream's events, equal to what the server keeps at its end. */

import { nameOdd } from "./odd";
import type {
  AssistantContent,
  AssistantMessageItem,
  ItemUpdate,
  Notice,
  Thread,
  ThreadEvent,
  ThreadItem,
  WidgetNode,
} from "./protocol";

export interface Progress {
  text: string;
  icon: string | null;
}

export interface Failure {
  message: string;
  retry: boolean;
}

/**
 * A thread and its items in order. Items are never changed, only put in another's place, so that a view sees
 * by identity what it has to draw again.
 */
export class ThreadState {
  thread: Thread | null = null;
  items = new Map<string, ThreadItem>();
  progress: Progress | null = null;
  notices: Notice[] = [];
  failure: Failure | null = null;
  allowCancel = true;

  /** Another that begins as this one. */
  copy(): ThreadState {
    return Object.assign(new ThreadState(), this, { items: new Map(this.items) });
  }

  /** Takes an event in; false: it is not known here or can't be read, and changed nothing. */
  apply(event: ThreadEvent): boolean {
    try {
      return this.#apply(event);
    } catch (error) {
      nameOdd(`an event ${event.type} can't be read: ${String(error)}`);
      return false;
    }
  }

  #apply(event: ThreadEvent): boolean {
    switch (event.type) {
      case "thread.created":
      case "thread.updated":
        this.thread = { ...this.thread, ...event.thread };
        return true;
      case "thread.item.added":
      case "thread.item.done":
      case "thread.item.replaced":
        this.items.set(event.item.id, event.item);
        this.progress = null;
        return true;
      case "thread.item.removed":
        this.items.delete(event.item_id);
        return true;
      case "thread.item.updated":
        return this.#update(event.item_id, event.update);
      case "stream_options":
        this.allowCancel = event.stream_options.allow_cancel;
        return true;
      case "progress_update":
        this.progress = { text: event.text, icon: event.icon ?? null };
        return true;
      case "error":
        this.failure = {
          message: text(event.message) || "Something went wrong while answering.",
          retry: event.allow_retry ?? false,
        };
        return true;
      case "notice":
        this.notices = [...this.notices, event];
        return true;
      case "client_effect":
        return true;
      default:
        event satisfies never;
        return false;
    }
  }

  /** Puts items before all others, in their order. */
  prepend(items: readonly ThreadItem[]): void {
    this.items = new Map([...items.map((item) => [item.id, item] as const), ...this.items]);
  }

  #update(id: string, update: ItemUpdate): boolean {
    const item = this.items.get(id);
    const updated = item && updatedItem(item, update);
    if (updated) this.items.set(id, updated);
    return !!updated;
  }
}

/** The item after an update; null where the two do not belong together. */
function updatedItem(item: ThreadItem, update: ItemUpdate): ThreadItem | null {
  switch (item.type) {
    case "assistant_message":
      return updatedMessage(item, update);
    case "workflow": {
      const tasks = list(item.workflow.tasks);
      if (update.type === "workflow.task.added") tasks.splice(update.task_index, 0, update.task);
      else if (update.type !== "workflow.task.updated") return null;
      else tasks[place(update.task_index, tasks.length)] = update.task;
      return { ...item, workflow: { ...item.workflow, tasks } };
    }
    case "widget":
      switch (update.type) {
        case "widget.root.updated":
          return { ...item, widget: update.widget };
        case "widget.component.updated":
          return replaced(item, update.component_id, () => update.component);
        case "widget.streaming_text.value_delta":
          return replaced(item, update.component_id, (component) => ({
            ...component,
            value: String(component["value"] ?? "") + text(update.delta),
            streaming: !update.done,
          }));
        default:
          return null;
      }
    case "generated_image":
      return update.type === "generated_image.updated" ? { ...item, image: update.image } : null;
    default:
      return null;
  }
}

function updatedMessage(item: AssistantMessageItem, update: ItemUpdate): ThreadItem | null {
  if (!("content_index" in update)) return null;
  const content = list(item.content);
  const index = place(update.content_index, content.length + MOST_SKIPPED);
  while (content.length <= index) content.push(nothingSaid());
  content[index] = updatedPart(content[index] ?? nothingSaid(), update);
  return { ...item, content };
}

type PartUpdate = Extract<ItemUpdate, { content_index: number }>;

function updatedPart(part: AssistantContent, update: PartUpdate): AssistantContent {
  switch (update.type) {
    case "assistant_message.content_part.text_delta":
      return { ...part, text: text(part.text) + text(update.delta) };
    case "assistant_message.content_part.annotation_added": {
      const annotations = list(part.annotations);
      annotations.splice(update.annotation_index, 0, update.annotation);
      return { ...part, annotations };
    }
    default:
      return update.content;
  }
}

/** So many parts of a message may be told after one that was not. */
const MOST_SKIPPED = 100;

/** The place in a list that an update names. Throws RangeError where there can be none. */
function place(index: number, most: number): number {
  if (Number.isInteger(index) && index >= 0 && index <= most) return index;
  throw new RangeError(`There is no place ${index}.`);
}

function list<T>(value: readonly T[] | null | undefined): T[] {
  return Array.isArray(value) ? [...value] : [];
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function nothingSaid(): AssistantContent {
  return { type: "output_text", text: "", annotations: [] };
}

function replaced<T extends { widget: WidgetNode }>(
  item: T,
  id: string,
  change: (component: WidgetNode) => WidgetNode,
): T {
  return { ...item, widget: changedIn(item.widget, id, change) };
}

/** The tree with this component changed; what holds it is new, and all else is the same object. */
function changedIn(
  node: WidgetNode,
  id: string,
  change: (component: WidgetNode) => WidgetNode,
): WidgetNode {
  if (node.id === id) return change(node);
  const { children } = node;
  if (!children) return node;
  const visit = (child: WidgetNode) =>
    child && typeof child === "object" ? changedIn(child, id, change) : child;
  if (!Array.isArray(children)) {
    const changed = visit(children);
    return changed === children ? node : { ...node, children: changed };
  }
  const changed = children.map(visit);
  return changed.every((child, i) => child === children[i]) ? node : { ...node, children: changed };
}
