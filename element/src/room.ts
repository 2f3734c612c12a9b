/** The thread that is open, read from its server: what is shown of it, and what went wrong. */

import type { ChatKitOptions } from "@openai/chatkit";
import { Api } from "./api";
import { readItem, readPage, readThread } from "./odd";
import type { Page, Thread, ThreadItem, UserMessageItem } from "./protocol";
import { ANOTHER_USER, HostFault, Refusal } from "./refusal";
import type { Outgoing } from "./session";
import { ThreadState } from "./state";
import { strings } from "./strings";

/** What the session tells the element. */
export interface Listener {
  /** Something that is shown has changed. */
  changed(): void;
  /** A public event, by its name without `chatkit.`. */
  emit(name: string, detail?: unknown): void;
  /** Another thread is written for. */
  moved(): void;
  /** The new thread that was written for has its id now. */
  named(thread: string): void;
  /** A message is on its way; `own`: it was written in the composer. */
  sending(text: string, own: boolean): void;
  /** The message that was on its way is kept. */
  taken(): void;
  /** A message for this thread was refused: the person should get the text back. */
  refused(text: string, thread: string | null): void;
  /** A message that was refused is sent again. */
  resend(message: Outgoing): void;
  /** Something has changed in a thread that other tabs may show too. */
  spoken(thread: string): void;
  /** Whose the chat is. */
  met(user: string): void;
}

/** What a person can do about something. */
export interface Way {
  label: string;
  act(): void;
}

/** What went wrong, and what can be done about it. */
export interface Trouble {
  message: string;
  way: Way | null;
}

/** The id under which a message is shown until the server has named it. */
export const PENDING = "pending";

const PAGE = 30;

export abstract class Room {
  state = new ThreadState();
  /** An answer runs, or is waited for. */
  busy = false;
  loading = false;
  stopping = false;
  /** The connection is lost, and is being looked for. */
  reconnecting = false;
  trouble: Trouble | null = null;
  /** The chat was opened for somebody who is not signed in any more. */
  over = false;

  readonly api: Api;
  protected visit = new AbortController();
  /** When something of the thread was last read, in Unix milliseconds. */
  protected read = 0;
  /** The thread that is being opened. */
  protected target: string | null = null;
  #older: string | null = null;
  #loadingOlder: Promise<void> | null = null;

  constructor(
    protected readonly options: () => ChatKitOptions,
    protected readonly listener: Listener,
  ) {
    this.api = new Api(
      options,
      (user) => this.listener.met(user),
      () => this.listener.changed(),
      (thread, whole, given) => this.seen(thread, whole, given),
    );
  }

  /** The server has read items of a thread; `whole`: with the thread. `given`: something is said of them. */
  protected abstract seen(thread: string, whole: boolean, given: boolean): void;

  /** What is done waits for the page's own sign-in. */
  get signingIn(): boolean {
    return this.api.signingIn;
  }

  get threadId(): string | null {
    return this.state.thread?.id ?? null;
  }

  /** The thread that a message is written for; null: a new one. */
  get writesFor(): string | null {
    return this.target ?? this.threadId;
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

  /** The page before the first item that is shown, if there is one. */
  loadOlder(): Promise<void> {
    this.#loadingOlder ??= this.#loadOlder().finally(() => (this.#loadingOlder = null));
    return this.#loadingOlder;
  }

  /** All that there is before the first item that is shown. */
  async loadAll(): Promise<void> {
    const { signal } = this.visit;
    while (this.hasOlder && !this.trouble && !signal.aborted) await this.loadOlder();
  }

  async #loadOlder(): Promise<void> {
    const id = this.threadId;
    if (!id || !this.#older) return;
    const { signal } = this.visit;
    try {
      const page = await this.#page(id, this.#older);
      if (signal.aborted) return;
      this.#older = cursor(page);
      this.state.prepend(page.data.reverse());
    } catch (error) {
      if (signal.aborted) return;
      this.fail(
        error,
        again(() => void this.loadOlder()),
      );
    }
    this.listener.changed();
  }

  /** Reads the thread as it is kept now, and shows that. Throws Refusal. */
  protected async look(id: string): Promise<void> {
    const { signal } = this.visit;
    const found = await this.newest(id);
    if (signal.aborted) return;
    this.show(found);
    this.listener.changed();
  }

  /** A thread and its newest items, oldest first. The first page that a server gives is the oldest. */
  protected async newest(id: string): Promise<Found> {
    const { thread: whole, running } = await this.api.thread(id);
    const items = readPage(whole.items, readItem);
    const thread = readThread(whole) ?? { id, created_at: "" };
    if (!items.has_more) return { thread, page: { data: items.data, has_more: false }, running };
    const page = await this.#page(id);
    return { thread, page: { ...page, data: page.data.reverse() }, running };
  }

  /** An item as it is kept now, with those before it: addresses in them are good for a while. Throws Refusal. */
  async renew(item: string): Promise<readonly ThreadItem[]> {
    const id = this.threadId;
    if (!id) return [];
    const ids = [...this.state.items.keys()];
    const next = ids.indexOf(item) + 1;
    // what is near the end may not be kept yet
    return (await this.#page(id, ids.length - next < PAGE ? undefined : ids[next])).data;
  }

  async #page(id: string, after?: string): Promise<Page<ThreadItem>> {
    const range = { limit: PAGE, order: "desc" as const, ...(after && { after }) };
    return readPage(await this.api.json("items.list", { thread_id: id, ...range }), readItem);
  }

  protected show({ thread, page }: Found): void {
    this.read = Date.now();
    this.state.thread = thread;
    const { items } = this.state;
    // what is older than the page may have been loaded already
    const known = [...items];
    const start = known.findIndex(([id]) => id === page.data[0]?.id);
    const before = page.has_more ? known.slice(0, Math.max(0, start)) : [];
    if (!before.length) this.#older = cursor(page);
    const shown = page.data.map((item) => [item.id, kept(items.get(item.id), item)] as const);
    const pending = known.filter(([id]) => id === PENDING);
    this.state.items = new Map([...before, ...shown, ...pending]);
  }

  protected fail(error: unknown, way: Way | null): void {
    this.trouble = this.inWords(error, way) ?? this.trouble;
  }

  /** What is said of an error, of which the page hears too; null where all is over by it. */
  inWords(error: unknown, way: Way | null): Trouble | null {
    const refusal = error instanceof Error ? error : new Error(String(error));
    if (refusal instanceof Refusal && refusal.code === ANOTHER_USER) {
      this.end(refusal.message);
      return null;
    }
    const pointless = refusal instanceof Refusal && !refusal.passing && refusal.status !== 401;
    if (refusal instanceof HostFault) console.error("chatkit:", refusal);
    this.listener.emit("error", { error: refusal });
    return { message: refusal.message, way: pointless ? null : way };
  }

  /** Does nothing any more and shows nothing of what was there, for the reason that is given. */
  end(message: string): void {
    if (this.over) return;
    this.over = true;
    this.api.end();
    this.close();
    const way = { label: strings.reload, act: () => location.reload() };
    this.trouble = { message, way };
    this.listener.emit("error", { error: new Refusal(message, 403, ANOTHER_USER) });
    this.listener.moved();
    this.listener.changed();
  }

  protected async recovered(step: () => Promise<void>): Promise<void> {
    try {
      await step();
    } catch (error) {
      this.fail(error, null);
    }
  }

  /** Leaves what is open: nothing of it is shown, and an answer goes on without us. */
  protected close(): void {
    this.visit.abort();
    this.visit = new AbortController();
    this.target = this.#older = null;
    Object.assign(this.state, new ThreadState());
    this.busy = this.loading = this.stopping = this.reconnecting = false;
    this.trouble = null;
  }
}

/** A thread as it is kept now. */
export interface Found {
  thread: Thread;
  page: Page<ThreadItem>;
  /** The answer that was running then. */
  running: string | null;
}

/** The way to try the same again. */
export function again(act: () => void): Way {
  return { label: strings.retry, act };
}

/** The item that is shown already where the one that was read says the same: then nothing is drawn anew. */
function kept(shown: ThreadItem | undefined, read: ThreadItem): ThreadItem {
  return shown && JSON.stringify(shown) === JSON.stringify(read) ? shown : read;
}

function cursor(page: Page<unknown>): string | null {
  return page.has_more ? (page.after ?? null) : null;
}
