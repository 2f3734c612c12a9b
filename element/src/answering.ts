/** At most one answer at a time: it is asked for, followed over any number of connections, and stopped. */

import { Answer, Lost } from "./answer";
import { Awaiting } from "./awaiting";
import { uniqueId } from "./ids";
import { written } from "./outgoing";
import type { StreamingRequest, ThreadEvent, ThreadItem } from "./protocol";
import { Refusal } from "./refusal";
import { Replay } from "./replay";
import { again, PENDING, type Way } from "./room";

/** So long a stream may go on after it was stopped. */
const STOP_MS = 5_000;
/** So long it is looked for where an answer can be stopped. */
const SEARCH_MS = 20_000;
/** A last message that is older was not just asked: no answer is on its way. */
const FRESH_MS = 10 * 60_000;

export abstract class Answering extends Awaiting {
  #answer: Answer | null = null;
  #replay: Replay | null = null;
  /** The last answer was stopped by the person. */
  protected stopped = false;
  /** The last request of which nothing was heard: sent again it is the same one. */
  #unsent: { request: string; key: string } | null = null;

  /** Reads no more of the answer; it goes on without us. */
  protected leaveAnswer(): void {
    this.#answer?.leave();
  }

  protected override close(): void {
    this.leaveAnswer();
    super.close();
    if (this.#answer) this.listener.emit("response.end");
    this.#answer = null;
    this.#replay?.over();
    this.#replay = null;
  }

  /** Ends the answer that runs; what was shown stays. */
  async stop(): Promise<void> {
    const answer = this.#answer;
    if (!answer || this.stopping) return this.waitNoMore();
    this.stopping = this.stopped = true;
    this.listener.changed();
    // the stream tells how the answer ended: it is only cut when it goes on regardless
    const impatient = (ms: number) => {
      const timer = setTimeout(() => answer.leave(), ms);
      answer.left.addEventListener("abort", () => clearTimeout(timer));
      return timer;
    };
    const search = impatient(this.reconnecting ? STOP_MS : SEARCH_MS);
    const address = await answer.whereToStop();
    clearTimeout(search);
    if (!address) return answer.leave();
    const end = impatient(STOP_MS);
    try {
      await this.api.stop(address);
    } catch (error) {
      clearTimeout(end);
      if (this.#answer !== answer) return;
      this.stopping = false;
      this.fail(error, null);
      this.listener.changed();
    }
  }

  /**
   * Sends a request and follows its answer to the end. `undo` takes back what was shown in advance when the
   * request is refused, and says how it is tried again; `refused` says it elsewhere than below the messages.
   */
  protected async tell(
    request: StreamingRequest,
    undo: () => Way | null,
    refused = (error: Refusal, way: Way | null) => this.fail(error, way),
    key?: string,
  ): Promise<void> {
    const { signal } = this.visit;
    const answer = this.#begun();
    let told = true;
    try {
      if (request.type === "threads.add_user_message") await this.lookBefore(answer.left);
      const events = answer.to(request, key ?? this.#keyOf(request), () => this.threadId);
      await this.#follow(events, signal);
    } catch (error) {
      if (error instanceof Refusal && !error.unheard) this.#unsent = null;
      if (signal.aborted) return;
      told = !(error instanceof Refusal) || answer.begun;
      if (!told) refused(error as Refusal, undo());
      else if (answer.left.aborted && !answer.begun) undo();
      else await this.#broken(error, answer);
    } finally {
      if (answer.begun) this.#unsent = null;
      this.#ended(answer);
    }
    if (told && !signal.aborted) this.settle(true);
  }

  /** Follows an answer that was running in the open thread when that was read. */
  protected async join(id: string, turn: string): Promise<void> {
    const { signal } = this.visit;
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
    if (!signal.aborted) this.settle();
  }

  /** An answer that has not been told to its end: what there is of it is shown. */
  async #broken(error: unknown, answer: Answer): Promise<void> {
    const id = this.threadId;
    if (this.#replay) this.#release(this.#replay);
    const reopen = id ? again(() => void this.open(id)) : null;
    if (error instanceof Refusal) {
      this.fail(error, reopen);
    } else if (answer.left.aborted) {
      if (id && answer.stopAt) await this.recovered(() => this.look(id));
    } else if (id && error instanceof Lost && !error.kept) {
      this.fail(new Refusal(error.message, 0), reopen);
    } else {
      await this.#catchUp(answer);
    }
  }

  abstract open(id: string): Promise<void>;
  /** Goes on with what waits for the page, when nothing else goes on. `mine`: this tab has asked. */
  protected abstract settle(mine?: boolean): void;
  abstract retry(userMessageId: string): Promise<void>;

  #begun(): Answer {
    const answer: Answer = new Answer(this.api, (is) => {
      if (this.#answer !== answer || this.reconnecting === is) return;
      if (is) this.listener.emit("log", { name: "stream.lost" });
      this.reconnecting = is;
      this.listener.changed();
    });
    this.#answer = answer;
    this.busy = true;
    this.stopped = false;
    this.trouble = this.state.failure = this.state.progress = null;
    this.state.allowCancel = true;
    this.listener.emit("response.start");
    this.listener.changed();
    return answer;
  }

  #keyOf(request: StreamingRequest): string {
    const sent = written(request);
    if (this.#unsent?.request !== sent) this.#unsent = { request: sent, key: uniqueId() };
    return this.#unsent.key;
  }

  async #follow(events: AsyncGenerator<ThreadEvent>, visit: AbortSignal): Promise<void> {
    for await (const event of events) {
      if (visit.aborted) break;
      this.#take(event);
    }
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
    this.read = Date.now();
    if (event.type === "client_effect")
      this.listener.emit("effect", { name: event.name, data: event.data });
    if (this.#replay) return this.#replay.take(event);
    const before = this.threadId;
    if ("item" in event && event.item.type === "user_message") {
      if (this.state.items.delete(PENDING)) this.listener.taken();
      this.#spoken();
    }
    if (!this.state.apply(event)) this.listener.emit("log", { name: "unknown_event", data: event });
    if (event.type === "thread.item.done") {
      this.listener.emit("log", { name: event.type, data: { type: event.item.type } });
    } else if (event.type === "thread.created") {
      // told again when nothing but this had arrived
      if (before !== event.thread.id) {
        this.listener.named(event.thread.id);
        this.listener.emit("thread.change", { threadId: event.thread.id });
      }
    } else if (event.type === "error") {
      this.#failed();
    }
    this.listener.changed();
  }

  /** Shows the item as it is now. */
  protected put(item: ThreadItem): void {
    const states = [this.state, ...(this.#replay ? [this.#replay.state] : [])];
    for (const { items } of states) items.set(item.id, item);
    this.#spoken();
    this.listener.changed();
  }

  #spoken(): void {
    if (this.threadId) this.listener.spoken(this.threadId);
  }

  /** The answer broke off in the server's words. */
  #failed(): void {
    const { failure } = this.state;
    if (!failure) return;
    const asked = [...this.state.items.values()].findLast((item) => item.type === "user_message");
    const way = failure.retry && asked ? again(() => void this.retry(asked.id)) : null;
    this.trouble = { message: failure.message, way };
    this.listener.emit("error", { error: new Error(failure.message) });
  }

  #ended(answer: Answer): void {
    answer.leave();
    if (this.#answer !== answer) return;
    this.#answer = null;
    this.busy = this.stopping = this.reconnecting = false;
    this.state.progress = null;
    this.#spoken();
    this.listener.emit("response.end");
    this.listener.changed();
  }

  /** The stream of an answer was lost: the answer goes on, and is read when it is whole. */
  async #catchUp(answer: Answer): Promise<void> {
    const { signal } = this.waits(answer.left);
    if (!this.reconnecting) this.listener.emit("log", { name: "stream.lost" });
    this.reconnecting = true;
    this.listener.changed();
    if ((await this.answered(signal)) || signal.aborted) return;
    const id = this.threadId;
    const { message } = new Lost(true);
    this.fail(new Refusal(message, 0), id ? again(() => void this.open(id)) : null);
  }

  /**
   * After a page was loaded in the middle of an answer: wait until it is kept. Where answers can be resumed,
   * the server would have said that one is running.
   */
  protected async awaitAnswer(): Promise<void> {
    const asked = this.api.resumes ? null : this.unanswered;
    const fresh = asked && Date.now() - Date.parse(asked.created_at) < FRESH_MS;
    if (!fresh) return;
    const { signal } = this.visit;
    const waiting = this.waits();
    this.busy = true;
    this.state.progress = { text: "Waiting for the answer", icon: null };
    this.listener.changed();
    await this.answered(waiting.signal);
    if (!signal.aborted && !this.#answer) {
      this.busy = false;
      this.state.progress = null;
      this.listener.changed();
    }
  }

  protected requireFree(): void {
    if (this.busy || this.loading) throw new Error("An answer is still running.");
  }
}
