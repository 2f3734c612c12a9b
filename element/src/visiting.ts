/** Which thread is open: it is opened, left, come back to, and read again. */

import { ANOTHER_USER, HostFault, Refusal } from "./refusal";
import { again } from "./room";
import { strings } from "./strings";
import { Tooling } from "./tooling";

/** What was read so lately is not read again for a look at it. */
const JUST_MS = 2_000;

export abstract class Visiting extends Tooling {
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
      else void this.awaitAnswer().then(() => this.settle());
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
    if (await this.reread()) {
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
      if (!this.busy && !this.loading && !signal.aborted) await this.reread();
    } catch (error) {
      if (isAnothers(error)) return this.end(error.message);
      if (signal.aborted || !isGone(error)) return;
      this.#gone(error);
    }
    this.listener.changed();
  }

  /** Whether it was there, and nothing else has begun meanwhile. */
  protected async reread(): Promise<boolean> {
    const id = this.threadId;
    if (!id) return false;
    const { signal } = this.visit;
    const found = await this.newest(id);
    if (signal.aborted || this.busy) return false;
    this.show(found);
    if (found.running) void this.join(id, found.running);
    else this.settle();
    return true;
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
}

export function isAnothers(error: unknown): error is Refusal {
  return error instanceof Refusal && error.code === ANOTHER_USER;
}

/** The server's word that the thread is not there, or not this person's. */
function isGone(error: unknown): error is Refusal {
  if (!(error instanceof Refusal) || error instanceof HostFault) return false;
  return [403, 404].includes(error.status) && error.code !== ANOTHER_USER;
}
