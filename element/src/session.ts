/** What a person does with their threads: one is open, and at most one answer runs in it. */

import type { UserMessageContent } from "@openai/chatkit";
import { Answering } from "./answering";
import { readPage, readThread } from "./odd";
import type { Action, Page, Thread, UserMessageItem } from "./protocol";
import { ANOTHER_USER, HostFault, Refusal } from "./refusal";
import { again, PENDING } from "./room";
import { strings } from "./strings";
import { Verdicts } from "./verdicts";

/** What a person sends. */
export interface Outgoing {
  content: UserMessageContent[];
  quote?: string;
  attachments?: string[];
  tool?: string;
  model?: string;
}

const PAGE = 30;
/** What was read so lately is not read again for a look at it. */
const JUST_MS = 2_000;

export class Session extends Answering {
  readonly feedback = new Verdicts(
    this.api,
    () => this.threadId,
    () => this.listener.changed(),
    (error, way) => this.fail(error, way),
  );
  #looking: Promise<void> | null = null;

  /** Leaves what is open (an answer goes on without us) and begins a new thread. */
  begin(): void {
    if (this.over) return;
    const wasOpen = this.threadId !== null;
    this.close();
    this.listener.moved();
    if (wasOpen) this.listener.emit("thread.change", { threadId: null });
    this.listener.changed();
  }

  /** Opens a thread at its end. */
  async open(id: string): Promise<void> {
    if (this.over) return;
    const before = this.threadId;
    this.close();
    this.loading = true;
    this.target = id;
    this.listener.moved();
    this.listener.emit("thread.load.start", { threadId: id });
    this.listener.changed();
    const { signal } = this.visit;
    try {
      const found = await this.newest(id);
      if (signal.aborted) return;
      this.show(found);
      this.loading = false;
      this.target = null;
      if (before !== id) this.listener.emit("thread.change", { threadId: id });
      if (found.running) void this.join(id, found.running);
      else void this.awaitAnswer();
    } catch (error) {
      if (signal.aborted) return;
      this.loading = false;
      if (!isGone(error))
        return this.fail(
          error,
          again(() => void this.open(id)),
        );
      this.#gone(error);
      this.target = null;
      this.listener.emit("thread.change", { threadId: null });
    } finally {
      this.listener.emit("thread.load.end", { threadId: id });
      this.listener.changed();
    }
  }

  /** It is not there, or not for this person. */
  #gone(error: Refusal): void {
    this.fail(error, null);
    if (this.trouble)
      this.trouble.way = { label: strings.newConversation, act: () => this.begin() };
  }

  /** Goes away from the page: an answer goes on without us. */
  leave(): void {
    this.leaveAnswer();
    this.visit.abort();
  }

  /** Comes back to a page that was left: reads on where it is now. */
  async rejoin(): Promise<void> {
    this.visit = new AbortController();
    await this.recovered(() => this.refresh());
    if (!this.busy) void this.awaitAnswer();
  }

  /** Reads what is open again, without letting anything flicker. Throws Refusal. */
  async refresh(): Promise<void> {
    if (await this.#reread()) {
      this.trouble = null;
      this.listener.changed();
    }
  }

  /** Reads it again because the person looks at it again: whatever keeps that from working can wait. */
  lookAgain(): Promise<void> {
    this.#looking ??= this.#lookAgain().finally(() => (this.#looking = null));
    return this.#looking;
  }

  /** What is shown may lack something: it is read before it is built upon. */
  outdated(thread: string): void {
    if (thread === this.threadId) this.read = 0;
  }

  async #lookAgain(): Promise<void> {
    const { signal } = this.visit;
    try {
      await this.api.check();
      if (this.target && !this.loading && !signal.aborted) return await this.open(this.target);
      if (Date.now() - this.read < JUST_MS) return;
      if (!this.busy && !this.loading && !signal.aborted) await this.#reread();
    } catch (error) {
      if (isAnothers(error)) return this.end(error.message);
      if (signal.aborted || !isGone(error)) return;
      this.#gone(error);
    }
    this.listener.changed();
  }

  /** Whether it was there, and nothing else has begun meanwhile. */
  async #reread(): Promise<boolean> {
    const id = this.threadId;
    if (!id) return false;
    const { signal } = this.visit;
    const found = await this.newest(id);
    if (signal.aborted || this.busy) return false;
    this.show(found);
    if (found.running) void this.join(id, found.running);
    return true;
  }

  /** Says something. Rejects when an answer is still running. */
  async send(message: Outgoing): Promise<void> {
    this.requireFree();
    const { thread } = this.state;
    const input = {
      content: message.content.map((part) =>
        part.type === "input_tag" ? { ...part, data: part.data ?? {} } : part,
      ),
      attachments: message.attachments ?? [],
      quoted_text: message.quote ?? null,
      inference_options: {
        ...(message.tool ? { tool_choice: { id: message.tool } } : {}),
        ...(message.model ? { model: message.model } : {}),
      },
    };
    const text = message.content.map((part) => part.text).join("");
    this.state.items.set(PENDING, pending(thread?.id ?? "", message));
    this.state.notices = [];
    this.listener.sending(text);
    await this.tell(
      thread
        ? { type: "threads.add_user_message", params: { thread_id: thread.id, input } }
        : { type: "threads.create", params: { input } },
      () => {
        this.state.items.delete(PENDING);
        this.listener.refused(text, thread?.id ?? null);
        return again(() => void this.send(message));
      },
    );
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
    // whatever went wrong stays said
    if (this.state.failure && !this.busy) await this.recovered(() => this.look(id));
  }

  /** Sends an action of a widget or of the page. Rejects when an answer is still running. */
  async act(action: Action, itemId?: string): Promise<void> {
    const id = this.threadId;
    if (!id) throw new Error("No thread is open.");
    this.requireFree();
    const params = { thread_id: id, action, ...(itemId ? { item_id: itemId } : {}) };
    await this.tell({ type: "threads.custom_action", params }, () =>
      again(() => void this.act(action, itemId)),
    );
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
    await this.tell({ type: "threads.add_structured_input", params }, () =>
      again(() => void this.answer(itemId, values)),
    );
  }

  /** A page of the threads, latest first. Throws Refusal. */
  async threads(after?: string): Promise<Page<Thread>> {
    const range = { limit: PAGE, order: "desc" as const, ...(after && { after }) };
    return readPage(await this.#listed(() => this.api.json("threads.list", range)), readThread);
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

  /** From now on it is this person's. */
  belong(user: string): void {
    if (this.over || this.threadId) this.close();
    this.over = false;
    this.api.belong(user);
    this.listener.met(user);
    this.listener.moved();
    this.listener.changed();
  }

  /** Finds out whose it is, if the page can tell. */
  async meet(): Promise<void> {
    await this.api.meet().catch(() => {});
  }

  protected override seen(thread: string, whole: boolean, given: boolean): void {
    this.feedback.seen(thread, whole, given);
  }

  protected override close(): void {
    super.close();
    this.feedback.clear();
  }
}

function isAnothers(error: unknown): error is Refusal {
  return error instanceof Refusal && error.code === ANOTHER_USER;
}

/** The server's word that the thread is not there, or not this person's. */
function isGone(error: unknown): error is Refusal {
  if (!(error instanceof Refusal) || error instanceof HostFault) return false;
  return [403, 404].includes(error.status) && error.code !== ANOTHER_USER;
}

function pending(threadId: string, { content, quote }: Outgoing): UserMessageItem {
  return {
    type: "user_message",
    id: PENDING,
    thread_id: threadId,
    created_at: new Date().toISOString(),
    content,
    quoted_text: quote ?? null,
  };
}
