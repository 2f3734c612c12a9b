/** What a person does with their threads: one is open, and at most one answer runs in it. */

import type { Attachment, UserMessageContent } from "@openai/chatkit";
import { Actions } from "./actions";
import { asks } from "./asks";
import { isRecord, readItem, written as textOf } from "./odd";
import type { Action, Page, Thread, ThreadItem, UserMessageItem, WidgetItem } from "./protocol";
import { Refusal } from "./refusal";
import { again, PENDING, type Trouble } from "./room";
import { isAnothers, Visiting } from "./visiting";
import { Verdicts } from "./verdicts";

/** What a person sends. */
export interface Outgoing {
  content: UserMessageContent[];
  /** As it stood in the composer, if it was written there. */
  written?: string;
  quote?: string;
  attachments?: Attachment[];
  tool?: string;
  model?: string;
}

const PAGE = 30;
/** What was shown is not what there is. */
const OUTDATED = [404, 409, 422];

export class Session extends Visiting {
  readonly feedback = new Verdicts(
    this.api,
    () => this.threadId,
    () => this.listener.changed(),
    (error, way) => this.fail(error, way),
  );
  readonly actions = new Actions(
    {
      page: ({ type, payload }, item) => this.#handle({ type, payload }, item),
      atOnce: ({ type, payload }, { id }) => this.#actAtOnce({ type, payload }, id),
      turn: ({ type, payload }, { id }) => {
        if (this.busy || this.loading) return null;
        return this.act({ type, payload }, id);
      },
    },
    (error) => this.#refused(error),
    () => this.listener.changed(),
  );

  /** Says something. Rejects when an answer is still running. */
  async send(message: Outgoing): Promise<void> {
    this.requireFree();
    const { thread } = this.state;
    const input = {
      content: message.content.map((part) =>
        part.type === "input_tag" ? { ...part, data: part.data ?? {} } : part,
      ),
      attachments: message.attachments?.map(({ id }) => id) ?? [],
      quoted_text: message.quote ?? null,
      inference_options: {
        ...(message.tool ? { tool_choice: { id: message.tool } } : {}),
        ...(message.model ? { model: message.model } : {}),
      },
    };
    const { content, written } = message;
    const text = written ?? textOf(content);
    const asked = this.#asked();
    const { inference_options } = input;
    this.state.items.set(PENDING, { ...pending(thread?.id ?? "", message), inference_options });
    this.state.notices = [];
    this.listener.sending(text, written !== undefined);
    await this.tell(
      thread
        ? { type: "threads.add_user_message", params: { thread_id: thread.id, input } }
        : { type: "threads.create", params: { input } },
      () => {
        this.state.items.delete(PENDING);
        this.listener.refused(text, thread?.id ?? null);
        return again(() => this.listener.resend(message));
      },
    );
    await this.#lookForWithdrawn(asked);
  }

  /** What was asked before is withdrawn by something else, whose stream does not say so. */
  async #lookForWithdrawn(before: readonly ThreadItem[]): Promise<void> {
    if (this.#asked().some((item) => before.includes(item))) await this.#lookQuietly();
  }

  #asked(): ThreadItem[] {
    return [...this.state.items.values()].filter(asks);
  }

  /** Has a message answered again; the old answer comes back if the new one fails. */
  async retry(userMessageId: string): Promise<void> {
    const id = this.threadId;
    if (!id || this.busy) return;
    const before = new Map(this.state.items);
    let after = false;
    for (const key of before.keys()) {
      if (after) this.state.items.delete(key);
      after ||= key === userMessageId;
    }
    await this.tell(
      { type: "threads.retry_after_item", params: { thread_id: id, item_id: userMessageId } },
      () => {
        this.state.items = before;
        return again(() => void this.retry(userMessageId));
      },
    );
    // an answer that is not whole replaces nothing; whatever went wrong stays said
    if ((this.state.failure || this.stopped) && !this.busy)
      await this.recovered(() => this.look(id));
  }

  /** Sends an action of a widget or of the page. Rejects when an answer is still running. */
  async act(action: Action, itemId?: string): Promise<void> {
    const id = this.threadId;
    if (!id) throw new Error("No thread is open.");
    this.requireFree();
    const params = { thread_id: id, action, ...(itemId ? { item_id: itemId } : {}) };
    const request = { type: "threads.custom_action" as const, params };
    const asked = this.#asked();
    // at the widget it is asked for again by another click
    if (itemId && this.state.items.has(itemId))
      await this.tell(request, nothing, (error) => this.actions.tell(error, itemId));
    else await this.tell(request, () => again(() => void this.act(action, itemId)));
    if (!action.type.startsWith("chatbridge.")) await this.#lookForWithdrawn(asked);
  }

  async #actAtOnce(action: Action, itemId: string): Promise<void> {
    const id = this.threadId;
    if (!id) return;
    const { signal } = this.visit;
    const params = { thread_id: id, item_id: itemId, action };
    const { updated_item: updated } = await this.api.json("threads.sync_custom_action", params);
    if (signal.aborted || !isRecord(updated)) return;
    const item = readItem(updated);
    this.put(item);
    this.listener.emit("log", { name: "thread.item.replaced", data: { type: item.type } });
  }

  /** An action that the page handles itself. */
  async #handle(action: Action, item: WidgetItem): Promise<void> {
    const handle = this.options().widgets?.onAction;
    if (!handle) throw new Error(`The page has no widgets.onAction for the action ${action.type}.`);
    // the page knows what it has asked for
    const [asked, sender] = [action, item] as unknown as Parameters<typeof handle>;
    await handle(asked, sender);
  }

  /** What is said at a widget of an error; the page's own faults are the page's to hear. */
  #refused(error: unknown): Trouble | null {
    const trouble = this.inWords(error, null);
    if (!(error instanceof Refusal)) return null;
    if (OUTDATED.includes(error.status)) void this.#lookQuietly();
    return trouble;
  }

  async #lookQuietly(): Promise<void> {
    await this.reread().catch(nothing);
    this.listener.changed();
  }

  /** Answers the questions of an item; null skips them. */
  async answer(itemId: string, values: Record<string, string[]> | null): Promise<void> {
    const id = this.threadId;
    if (!id || this.busy) return;
    const answers = Object.fromEntries(
      Object.entries(values ?? {}).map(([question, given]) => [question, { values: given }]),
    );
    const input = { status: values ? ("answered" as const) : ("skipped" as const), answers };
    const params = { thread_id: id, item_id: itemId, input };
    const request = { type: "threads.add_structured_input" as const, params };
    this.actions.unsay(itemId);
    // it is there to be sent again
    await this.tell(request, nothing, (error) => this.actions.tell(error, itemId));
  }

  /** A page of the threads, latest first. Throws Refusal. */
  async threads(after?: string): Promise<Page<Thread>> {
    const range = { limit: PAGE, order: "desc" as const, ...(after && { after }) };
    return this.#listed(() => this.api.threads(range));
  }

  /** Names a thread. Throws Refusal. */
  async rename(id: string, title: string): Promise<Thread> {
    const params = { thread_id: id, title };
    const renamed = await this.#listed(() => this.api.json("threads.update", params));
    if (this.state.thread?.id === id) {
      this.state.thread = { ...this.state.thread, title: renamed.title ?? title };
      this.listener.changed();
    }
    this.listener.spoken(id);
    return renamed;
  }

  /** Deletes a thread; one that is open is left. Throws Refusal. */
  async remove(id: string): Promise<void> {
    await this.#listed(() => this.api.json("threads.delete", { thread_id: id }));
    if (this.threadId === id) this.begin();
    this.listener.spoken(id);
  }

  /** What goes wrong with the list is said there; that it is somebody else's ends everything. */
  async #listed<T>(step: () => Promise<T>): Promise<T> {
    try {
      return await step();
    } catch (error) {
      if (isAnothers(error)) this.end(error.message);
      throw error;
    }
  }

  protected override seen(thread: string, whole: boolean, given: boolean): void {
    this.feedback.seen(thread, whole, given);
  }

  protected override close(): void {
    super.close();
    this.feedback.clear();
    this.actions.close();
  }
}

function pending(
  threadId: string,
  { content, quote, attachments = [] }: Outgoing,
): UserMessageItem {
  return {
    type: "user_message",
    id: PENDING,
    thread_id: threadId,
    created_at: new Date().toISOString(),
    content,
    attachments,
    quoted_text: quote ?? null,
  };
}

const nothing = (): null => null;
