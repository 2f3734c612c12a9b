/** What a thread shows: the fold of a stream's events, equal to what the server keeps at its end. */

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

  /** Takes an event in; false: it is of a kind that is not known here, and changed nothing. */
  apply(event: ThreadEvent): boolean {
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
          message: event.message || "Something went wrong while answering.",
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
      const tasks = [...item.workflow.tasks];
      if (update.type === "workflow.task.added") tasks.splice(update.task_index, 0, update.task);
      else if (update.type === "workflow.task.updated") tasks[update.task_index] = update.task;
      else return null;
      return { ...item, workflow: { ...item.workflow, tasks } };
    }
    case "widget":
      switch (update.type) {
        case "widget.root.updated":
          return { ...item, widget: update.widget };
        case "widget.component.updated":
          return replaced(item, update.component_id, () => update.component);
        case "widget.streaming_text.value_delta":
          return replaced(item, update.component_id, (text) => ({
            ...text,
            value: String(text["value"] ?? "") + update.delta,
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
  const content = [...item.content];
  while (content.length <= update.content_index) content.push(nothingSaid());
  const part = content[update.content_index] ?? nothingSaid();
  content[update.content_index] = updatedPart(part, update);
  return { ...item, content };
}

type PartUpdate = Extract<ItemUpdate, { content_index: number }>;

function updatedPart(part: AssistantContent, update: PartUpdate): AssistantContent {
  switch (update.type) {
    case "assistant_message.content_part.text_delta":
      return { ...part, text: part.text + update.delta };
    case "assistant_message.content_part.annotation_added": {
      const annotations = [...(part.annotations ?? [])];
      annotations.splice(update.annotation_index, 0, update.annotation);
      return { ...part, annotations };
    }
    default:
      return update.content;
  }
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
  return { ...node, children: Array.isArray(children) ? children.map(visit) : visit(children) };
}
