/** What goes on between a page and its server: one thread open, at most one answer running. */

import type { ChatKitOptions, UserMessageContent } from "@openai/chatkit";
import { Answer, Lost } from "./answer";
import { Api, Refusal, uniqueId } from "./api";
import type {
  Action,
  ClientToolCallItem,
  Page,
  StreamingRequest,
  Thread,
  ThreadEvent,
  ThreadItem,
  UserMessageItem,
} from "./protocol";
import { readItem, readPage, readThread } from "./odd";
import { Replay } from "./replay";
import { ThreadState } from "./state";

/** What the session tells the element. */
export interface Listener {
  /** Something that is shown has changed. */
  changed(): void;
  /** A public event, by its name without `chatkit.`. */
  emit(name: string, detail?: unknown): void;
  /** A message is on its way. */
  sending(text: string): void;
  /** A message was refused: the person should get the text back. */
  refused(text: string): void;
}

/** What a person sends. */
export interface Outgoing {
  content: UserMessageContent[];
  quote?: string;
  attachments?: string[];
  tool?: string;
  model?: string;
}

export type Feedback = "positive" | "negative";

/** What went wrong, and what can be done about it. */
export interface Trouble {
  message: string;
  retry: (() => void) | null;
}

/** The id under which a message is shown until the server has named it. */
export const PENDING = "pending";

const PAGE = 30;
const STOP_MS = 5_000;
/** Pauses between looks for an answer whose stream was lost; the last one is repeated. */
const PAUSES_MS = [300, 700, 1_500, 3_000];
const PATIENCE_MS = 60_000;
/** A last message that is older was not just asked: no answer is on its way. */
const FRESH_MS = 10 * 60_000;

export class Session {
  state = new ThreadState();
  readonly feedback = new Map<string, Feedback>();
  /** An answer runs, or is waited for. */
  busy = false;
  loading = false;
  stopping = false;
  /** The connection is lost, and is being looked for. */
  reconnecting = false;
  trouble: Trouble | null = null;

  readonly #api: Api;
  #older: string | null = null;
  #loadingOlder: Promise<void> | null = null;
  #visit = new AbortController();
  #answer: Answer | null = null;
  #replay: Replay | null = null;
  /** The last request of which nothing was heard: sent again it is the same one. */
  #unsent: { request: string; key: string } | null = null;

  constructor(
    private readonly options: () => ChatKitOptions,
    private readonly listener: Listener,
  ) {
    this.#api = new Api(options);
  }

  get threadId(): string | null {
    return this.state.thread?.id ?? null;
  }

  get hasOlder(): boolean {
    return this.#older !== null;
  }

  /** The last message, if nothing answers it and nothing is about to. */
  get unanswered(): UserMessageItem | null {
    if (this.busy || this.loading) return null;
    const last = [...this.state.items.values()].at(-1);
    return last?.type === "user_message" && last.id !== PENDING ? last : null;
  }

  /** Leaves what is open (an answer goes on without us) and begins a new thread. */
  begin(): void {
    const wasOpen = this.threadId !== null;
    this.#leave();
    if (wasOpen) this.listener.emit("thread.change", { threadId: null });
    this.listener.changed();
  }

  /** Opens a thread at its end. */
  async open(id: string): Promise<void> {
    const before = this.threadId;
    this.#leave();
    this.loading = true;
    this.listener.emit("thread.load.start", { threadId: id });
    this.listener.changed();
    const { signal } = this.#visit;
    try {
      const found = await this.#newest(id);
      if (signal.aborted) return;
      this.#show(found);
      this.loading = false;
      if (before !== id) this.listener.emit("thread.change", { threadId: id });
      if (found.running) void this.#join(id, found.running);
      else void this.#awaitAnswer();
    } catch (error) {
      if (signal.aborted) return;
      this.loading = false;
      const gone = error instanceof Refusal && [403, 404].includes(error.status);
      this.#fail(error, gone ? null : () => void this.open(id));
      if (gone) this.listener.emit("thread.change", { threadId: null });
    } finally {
      this.listener.emit("thread.load.end", { threadId: id });
      this.listener.changed();
    }
  }

  /** Goes away from the page: an answer goes on without us. */
  leave(): void {
    this.#answer?.leave();
    this.#visit.abort();
  }

  /** Comes back to a page that was left: reads on where it is now. */
  async rejoin(): Promise<void> {
    this.#visit = new AbortController();
    await this.#recovered(() => this.refresh());
    if (!this.busy) void this.#awaitAnswer();
  }

  /** Reads what is open again, without letting anything flicker. */
  async refresh(): Promise<void> {
    const id = this.threadId;
    if (!id) return;
    const { signal } = this.#visit;
    const found = await this.#newest(id);
    if (signal.aborted || this.#answer) return;
    this.#show(found);
    this.trouble = null;
    this.listener.changed();
    if (found.running) void this.#join(id, found.running);
  }

  /** The page before the first item that is shown, if there is one. */
  loadOlder(): Promise<void> {
    this.#loadingOlder ??= this.#loadOlder().finally(() => (this.#loadingOlder = null));
    return this.#loadingOlder;
  }

  async #loadOlder(): Promise<void> {
    const id = this.threadId;
    if (!id || !this.#older) return;
    const { signal } = this.#visit;
    try {
      const page = await this.#page(id, this.#older);
      if (signal.aborted) return;
      this.#older = cursor(page);
      this.state.prepend(page.data.reverse());
    } catch (error) {
      if (signal.aborted) return;
      this.#fail(error, () => void this.loadOlder());
    }
    this.listener.changed();
  }

  /** Says something. Rejects when an answer is still running. */
  async send(message: Outgoing): Promise<void> {
    this.#requireFree();
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
    await this.#tell(
      thread
        ? { type: "threads.add_user_message", params: { thread_id: thread.id, input } }
        : { type: "threads.create", params: { input } },
      () => {
        this.state.items.delete(PENDING);
        this.listener.refused(text);
        return () => void this.send(message);
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
    await this.#tell(
      { type: "threads.retry_after_item", params: { thread_id: id, item_id: userMessageId } },
      () => {
        this.state.items = before;
        return () => void this.retry(userMessageId);
      },
    );
    // whatever went wrong stays said
    if (this.state.failure && !this.busy) await this.#recovered(() => this.#look(id));
  }

  /** Sends an action of a widget or of the page. Rejects when an answer is still running. */
  async act(action: Action, itemId?: string): Promise<void> {
    const id = this.threadId;
    if (!id) throw new Error("No thread is open.");
    this.#requireFree();
    const params = { thread_id: id, action, ...(itemId ? { item_id: itemId } : {}) };
    await this.#tell({ type: "threads.custom_action", params }, () => () => {
      void this.act(action, itemId);
    });
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
    await this.#tell({ type: "threads.add_structured_input", params }, () => () => {
      void this.answer(itemId, values);
    });
  }

  /** Ends the answer that runs; what was shown stays. */
  async stop(): Promise<void> {
    const answer = this.#answer;
    if (!answer || this.stopping) return;
    if (!answer.stopAt) return answer.leave();
    this.stopping = true;
    this.listener.changed();
    // the stream tells how the answer ended: it is only cut when it goes on regardless
    const impatient = setTimeout(() => answer.leave(), STOP_MS);
    answer.left.addEventListener("abort", () => clearTimeout(impatient));
    try {
      await this.#api.stop(answer.stopAt);
    } catch (error) {
      clearTimeout(impatient);
      this.stopping = false;
      this.#fail(error, null);
      this.listener.changed();
    }
  }

  /** Says how good an answer was. */
  async rate(itemIds: string[], kind: Feedback): Promise<void> {
    const id = this.threadId;
    if (!id) return;
    const before = itemIds.map((item) => [item, this.feedback.get(item)] as const);
    for (const item of itemIds) this.feedback.set(item, kind);
    this.listener.changed();
    try {
      await this.#api.json("items.feedback", { thread_id: id, item_ids: itemIds, kind });
    } catch (error) {
      for (const [item, kept] of before) {
        if (kept) this.feedback.set(item, kept);
        else this.feedback.delete(item);
      }
      this.#fail(error, () => void this.rate(itemIds, kind));
      this.listener.changed();
    }
  }

  /** A page of the threads, latest first. Throws Refusal. */
  async threads(after?: string): Promise<Page<Thread>> {
    const range = { limit: PAGE, order: "desc" as const, ...(after && { after }) };
    return readPage(await this.#api.json("threads.list", range), readThread);
  }

  /** Names a thread. Throws Refusal. */
  async rename(id: string, title: string): Promise<Thread> {
    const renamed = await this.#api.json("threads.update", { thread_id: id, title });
    if (this.state.thread?.id === id) {
      this.state.thread = { ...this.state.thread, title: renamed.title ?? title };
      this.listener.changed();
    }
    return renamed;
  }

  /** Deletes a thread; one that is open is left. Throws Refusal. */
  async remove(id: string): Promise<void> {
    await this.#api.json("threads.delete", { thread_id: id });
    if (this.threadId === id) this.begin();
  }

  /**
   * Sends a request and follows its answer to the end. `undo` takes back what was shown in advance when the
   * request is refused, and says how it is tried again.
   */
  async #tell(request: StreamingRequest, undo: () => () => void): Promise<void> {
    const { signal } = this.#visit;
    const answer = this.#begun();
    let call: ClientToolCallItem | null = null;
    try {
      const events = answer.to(request, this.#keyOf(request), () => this.threadId);
      call = await this.#follow(events, signal);
    } catch (error) {
      if (error instanceof Refusal && !error.unheard) this.#unsent = null;
      if (signal.aborted) return;
      if (error instanceof Refusal) this.#fail(error, undo());
      else if (answer.left.aborted && !answer.begun) undo();
      else await this.#broken(error, answer);
    } finally {
      if (answer.begun) this.#unsent = null;
      this.#ended(answer);
    }
    if (call && !signal.aborted) await this.#callTool(call);
  }

  /** Follows an answer that was running in the open thread when that was read. */
  async #join(id: string, turn: string): Promise<void> {
    const { signal } = this.#visit;
    const answer = this.#begun();
    const replay = new Replay(this.state, () => this.#release(replay));
    this.#replay = replay;
    try {
      await this.#follow(answer.in(id, turn), signal);
    } catch (error) {
      if (!signal.aborted) await this.#broken(error, answer);
    } finally {
      this.#release(replay);
      this.#ended(answer);
    }
  }

  /** An answer that has not been told to its end: what there is of it is shown. */
  async #broken(error: unknown, answer: Answer): Promise<void> {
    const id = this.threadId;
    if (this.#replay) this.#release(this.#replay);
    if (answer.left.aborted) {
      if (id && answer.stopAt) await this.#recovered(() => this.#look(id));
    } else if (id && error instanceof Lost && !error.kept) {
      this.#fail(new Refusal(error.message, 0), () => void this.open(id));
    } else {
      await this.#catchUp();
    }
  }

  #begun(): Answer {
    const answer: Answer = new Answer(this.#api, (is) => {
      if (this.#answer !== answer || this.reconnecting === is) return;
      if (is) this.listener.emit("log", { name: "stream.lost" });
      this.reconnecting = is;
      this.listener.changed();
    });
    this.#answer = answer;
    this.busy = true;
    this.trouble = this.state.failure = this.state.progress = null;
    this.state.allowCancel = true;
    this.listener.emit("response.start");
    this.listener.changed();
    return answer;
  }

  #keyOf(request: StreamingRequest): string {
    const sent = JSON.stringify(request);
    if (this.#unsent?.request !== sent) this.#unsent = { request: sent, key: uniqueId() };
    return this.#unsent.key;
  }

  /** Takes in every event; the client tool call that waits for its output, if there is one. */
  async #follow(
    events: AsyncGenerator<ThreadEvent>,
    visit: AbortSignal,
  ): Promise<ClientToolCallItem | null> {
    let call: ClientToolCallItem | null = null;
    for await (const event of events) {
      if (visit.aborted) break;
      this.#take(event);
      if (event.type !== "thread.item.done" || event.item.type !== "client_tool_call") continue;
      call = event.item.status === "pending" ? event.item : null;
    }
    return call;
  }

  /** Shows what was held back. */
  #release(replay: Replay): void {
    if (this.#replay !== replay) return;
    this.#replay = null;
    this.state = replay.over();
    if (this.state.failure) this.#failed();
    this.listener.changed();
  }

  #take(event: ThreadEvent): void {
    if (this.#replay) return this.#replay.take(event);
    const before = this.threadId;
    if ("item" in event && event.item.type === "user_message") this.state.items.delete(PENDING);
    if (!this.state.apply(event)) this.listener.emit("log", { name: "unknown_event", data: event });
    if (event.type === "thread.item.done") {
      this.listener.emit("log", { name: event.type, data: { type: event.item.type } });
    } else if (event.type === "thread.created") {
      // told again when nothing but this had arrived
      if (before !== event.thread.id)
        this.listener.emit("thread.change", { threadId: event.thread.id });
    } else if (event.type === "client_effect") {
      this.listener.emit("effect", { name: event.name, data: event.data });
    } else if (event.type === "error") {
      this.#failed();
    }
    this.listener.changed();
  }

  /** The answer broke off in the server's words. */
  #failed(): void {
    const { failure } = this.state;
    if (!failure) return;
    const asked = [...this.state.items.values()].findLast((item) => item.type === "user_message");
    const again = failure.retry && asked ? () => void this.retry(asked.id) : null;
    this.trouble = { message: failure.message, retry: again };
    this.listener.emit("error", { error: new Error(failure.message) });
  }

  #ended(answer: Answer): void {
    answer.leave();
    if (this.#answer !== answer) return;
    this.#answer = null;
    this.busy = this.stopping = this.reconnecting = false;
    this.state.progress = null;
    this.listener.emit("response.end");
    this.listener.changed();
  }

  async #callTool(call: ClientToolCallItem): Promise<void> {
    const id = this.threadId;
    if (!id) return;
    const run = this.options().onClientTool;
    let result: unknown = { error: "This page has no such tool." };
    try {
      if (run) result = await run({ name: call.name, params: call.arguments });
    } catch (error) {
      result = { error: String(error) };
    }
    const params = { thread_id: id, result };
    await this.#tell({ type: "threads.add_client_tool_output", params }, () => () => {
      void this.#callTool(call);
    });
  }

  /** The stream of an answer was lost: the answer goes on, and is read when it is whole. */
  async #catchUp(): Promise<void> {
    const { signal } = this.#visit;
    if (!this.reconnecting) this.listener.emit("log", { name: "stream.lost" });
    this.reconnecting = true;
    this.listener.changed();
    if (await this.#answered(signal)) return;
    if (!signal.aborted) {
      const again = this.threadId;
      const { message } = new Lost(true);
      this.#fail(new Refusal(message, 0), again ? () => void this.open(again) : null);
    }
  }

  /**
   * After a page was loaded in the middle of an answer: wait until it is kept. Where answers can be resumed,
   * the server would have said that one is running.
   */
  async #awaitAnswer(): Promise<void> {
    const asked = this.#api.resumes ? null : this.unanswered;
    const fresh = asked && Date.now() - Date.parse(asked.created_at) < FRESH_MS;
    if (!fresh) return;
    const { signal } = this.#visit;
    this.busy = true;
    this.state.progress = { text: "Waiting for the answer", icon: null };
    this.listener.changed();
    await this.#answered(signal);
    if (!signal.aborted && !this.#answer) {
      this.busy = false;
      this.state.progress = null;
      this.listener.changed();
    }
  }

  /** Looks again and again, for a minute, until something follows the last message. */
  async #answered(signal: AbortSignal): Promise<boolean> {
    const id = this.threadId;
    let until = Date.now() + PATIENCE_MS;
    for (let look = 0; id && Date.now() < until; look++) {
      await new Promise((go) => setTimeout(go, PAUSES_MS[look] ?? PAUSES_MS.at(-1)));
      if (signal.aborted) return false;
      try {
        const found = await this.#newest(id);
        if (signal.aborted) return false;
        if (found.running) until = Date.now() + PATIENCE_MS;
        if (found.page.data.at(-1)?.type === "user_message") continue;
        this.#show(found);
        this.listener.changed();
        if (!found.running) return true;
      } catch (error) {
        if (error instanceof Refusal && !error.passing) return false;
      }
    }
    return false;
  }

  async #look(id: string): Promise<void> {
    const { signal } = this.#visit;
    const found = await this.#newest(id);
    if (signal.aborted) return;
    this.#show(found);
    this.listener.changed();
  }

  /** A thread and its newest items, oldest first. The first page that a server gives is the oldest. */
  async #newest(id: string): Promise<Found> {
    const { thread: whole, running } = await this.#api.thread(id);
    const items = readPage(whole.items, readItem);
    const thread = readThread(whole) ?? { id, created_at: "" };
    if (!items.has_more) return { thread, page: { data: items.data, has_more: false }, running };
    const page = await this.#page(id);
    return { thread, page: { ...page, data: page.data.reverse() }, running };
  }

  async #page(id: string, after?: string): Promise<Page<ThreadItem>> {
    const range = { limit: PAGE, order: "desc" as const, ...(after && { after }) };
    return readPage(await this.#api.json("items.list", { thread_id: id, ...range }), readItem);
  }

  #show({ thread, page }: Found): void {
    this.state.thread = thread;
    // what is older than the page may have been loaded already
    const known = [...this.state.items];
    const start = known.findIndex(([id]) => id === page.data[0]?.id);
    const before = page.has_more ? known.slice(0, Math.max(0, start)) : [];
    if (!before.length) this.#older = cursor(page);
    const shown = page.data.map((item) => [item.id, item] as const);
    this.state.items = new Map([...before, ...shown]);
  }

  async #recovered(step: () => Promise<void>): Promise<void> {
    try {
      await step();
    } catch (error) {
      this.#fail(error, null);
    }
  }

  #requireFree(): void {
    if (this.busy || this.loading) throw new Error("An answer is still running.");
  }

  #fail(error: unknown, retry: (() => void) | null): void {
    const refusal = error instanceof Error ? error : new Error(String(error));
    const pointless = refusal instanceof Refusal && !refusal.passing && refusal.status !== 401;
    this.trouble = { message: refusal.message, retry: pointless ? null : retry };
    this.listener.emit("error", { error: refusal });
  }

  #leave(): void {
    this.leave();
    if (this.#answer) this.listener.emit("response.end");
    this.#visit = new AbortController();
    this.#answer = null;
    this.#replay?.over();
    this.#replay = null;
    this.#older = null;
    Object.assign(this.state, new ThreadState());
    this.feedback.clear();
    this.busy = this.loading = this.stopping = this.reconnecting = false;
    this.trouble = null;
  }
}

/** A thread as it is kept now. */
interface Found {
  thread: Thread;
  page: Page<ThreadItem>;
  /** The answer that was running then. */
  running: string | null;
}

function cursor(page: Page<unknown>): string | null {
  return page.has_more ? (page.after ?? null) : null;
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
