/** One answer from its question to its end, over as many connections as that takes. */

import type { Api } from "./api";
import type { StreamingRequest, ThreadEvent, UserMessageItem } from "./protocol";
import { ANOTHER_USER, HostFault, Refusal, SILENT, unreachable } from "./refusal";
import type { Running, Telling } from "./telling";

/** The connection is gone for good. `kept`: the answer may be found in the thread, but is told no more. */
export class Lost extends Error {
  constructor(readonly kept: boolean) {
    super("The connection was lost before the answer was whole.");
  }
}

/** The pauses before another try; the last one is repeated. */
const PAUSES_MS = [250, 500, 1_000, 2_000, 3_000];
/** How long a resumed answer may take to begin, by how often it was tried already. */
const RESUME_MS = [5_000, 1_000, 1_000, 2_000, 4_000];
/** So long an answer that has begun is looked for. */
const PATIENCE_MS = 60_000;
/** So often a message is sent of which nothing was heard. */
const SENDS = 6;
/** A connection that has lasted so long is no failure any more. */
const STABLE_MS = 10_000;

/** The pause between looks for where an answer can be stopped. */
const SEARCH_MS = 250;
/** What these ask for begins with the message itself. */
const SAYS = new Set(["threads.create", "threads.add_user_message"]);

export class Answer {
  stopAt: string | null = null;
  readonly #leaving = new AbortController();
  /** Ends the connection that there is, or the wait for one: another is tried at once. */
  #hurry = new AbortController();
  #found: (() => void) | null = null;
  #connected = false;
  /** Finds it among what runs. */
  #sought: (() => Promise<Running | null>) | null = null;
  #cursor: string | null = null;
  #begun = false;
  /** So many frames had been told when it was joined: what they did to the page is done. */
  #past: number | null = 0;
  #resumable = false;
  /** The request had a key: sent again it is the same one. */
  #repeatable = false;
  #failures = 0;
  #failingSince = 0;

  /** `reconnecting` hears whether the connection is being looked for. */
  constructor(
    private readonly api: Api,
    private readonly reconnecting: (is: boolean) => void,
  ) {}

  /** Aborted once nobody reads the answer here any more. */
  get left(): AbortSignal {
    return this.#leaving.signal;
  }

  /** Something of it has arrived. */
  get begun(): boolean {
    return this.#begun;
  }

  /** Reads no more of it; it goes on without us. */
  leave(): void {
    this.#leaving.abort();
  }

  /**
   * Where it can be stopped; null where nobody will say. While a chatbridge has not yet said it, the same
   * request (or the rest of the same answer) is asked for once more, and looked for among what runs: whatever
   * keeps the answer's first byte away must not keep its end away. What waits for the sign-in was never asked.
   */
  async whereToStop(): Promise<string | null> {
    const asleep = this.api.signingIn && !this.#failures;
    const asks = !this.#connected && !asleep && (this.#repeatable || this.#resumable);
    if (this.stopAt || !asks || this.left.aborted) return this.stopAt;
    await new Promise<void>((found) => {
      this.#found = found;
      this.left.addEventListener("abort", () => found());
      this.#hurry.abort();
      void this.#search();
    });
    return this.stopAt;
  }

  async #search(): Promise<void> {
    for (;;) {
      await pause(SEARCH_MS, this.left, false);
      if (!this.#sought || this.stopAt || this.left.aborted) return;
      const running = this.api.resumes ? await this.#sought().catch(() => null) : null;
      if (!running) continue;
      this.stopAt ??= running.stopAt;
      this.#found?.();
    }
  }

  /**
   * The answer to a request. `key` is the same whenever the same is sent again; `thread` tells the thread's id
   * once it is known. Throws Refusal where nothing came of it, and Lost.
   */
  async *to(
    request: StreamingRequest,
    key: string,
    thread: () => string | null,
  ): AsyncGenerator<ThreadEvent> {
    this.#repeatable = this.api.asksToResume;
    this.#sought = async () => {
      const running = await this.api.running(thread());
      return running && isOf(request, running.asked) ? running : null;
    };
    yield* this.#told(async (failure) => {
      const id = thread();
      if (this.#cursor && id) return this.#resumed(id, this.#cursor);
      if (failure) await this.#requireOnce(failure);
      return this.api.ask(request, key, this.#connection());
    }, SAYS.has(request.type));
  }

  /** An answer that runs in a thread, or has just ended, from its start. Throws Lost. */
  async *in(thread: string, turn: string): AsyncGenerator<ThreadEvent> {
    this.#begun = this.#resumable = true;
    this.#past = null;
    this.#cursor = `${turn}/0`;
    yield* this.#told(() => this.#resumed(thread, this.#cursor!));
  }

  /** A connection that leads to a dead server is left soon, a slow one gets its time. */
  #resumed(thread: string, cursor: string): Promise<Telling> {
    const patience = RESUME_MS[this.#failures] ?? RESUME_MS[0]!;
    return this.api.resume(thread, cursor, this.#connection(), patience);
  }

  #connection(): AbortSignal {
    const connection = (this.#hurry = new AbortController());
    if (this.left.aborted) connection.abort();
    this.left.addEventListener("abort", () => connection.abort(), { signal: connection.signal });
    return connection.signal;
  }

  /**
   * Reads on wherever a connection ends too early. `connect` gets the failure before; `says`: an answer
   * without an event is none.
   */
  async *#told(
    connect: (failure: Error | null) => Promise<Telling>,
    says = false,
  ): AsyncGenerator<ThreadEvent> {
    let failure: Error | null = null;
    for (;;) {
      let connected = Infinity;
      try {
        const telling = await connect(failure);
        connected = Date.now();
        this.#connected = true;
        this.reconnecting(false);
        this.#resumable ||= telling.resumable;
        this.stopAt = telling.stopAt ?? this.stopAt;
        this.#past ??= telling.told;
        this.#found?.();
        for await (const { cursor, event } of telling.events) {
          this.#cursor = cursor ?? this.#cursor;
          this.#begun ||= (event.type as string) !== "unreadable";
          this.#failures = 0;
          if (event.type !== "client_effect" || numberOf(cursor) > this.#past) yield event;
        }
        if (says && !this.#begun) throw telling.nothing();
        return;
      } catch (error) {
        this.#connected = false;
        if (this.left.aborted) throw error;
        if (Date.now() - connected > STABLE_MS) this.#failures = 0;
        failure = error instanceof Error ? error : new Error(String(error));
        const hurried = this.#hurry.signal.aborted;
        this.#hurry = new AbortController();
        if (!hurried) await this.#pause(failure);
      }
    }
  }

  /** Waits until another try makes sense. Throws Refusal or Lost when none does. */
  async #pause(failure: Error): Promise<void> {
    const refusal = failure instanceof Refusal ? failure : null;
    this.#requireHope(refusal);
    if (!this.#failures++) this.#failingSince = Date.now();
    this.reconnecting(true);
    const usual = PAUSES_MS[this.#failures - 1] ?? PAUSES_MS.at(-1)!;
    const wait = refusal?.code === SILENT ? 0 : Math.max(usual, refusal?.retryAfter ?? 0);
    const late = Date.now() + wait > this.#failingSince + PATIENCE_MS;
    if (this.#begun && late) throw new Lost(false);
    if (!this.#begun && (late || this.#failures >= SENDS)) throw refusal ?? unreachable();
    await pause(wait, this.#connection(), !refusal?.retryAfter);
    this.left.throwIfAborted();
  }

  #requireHope(refusal: Refusal | null): void {
    if (refusal instanceof HostFault || refusal?.code === ANOTHER_USER) throw refusal;
    if (!this.#begun && refusal) {
      if (!refusal.unheard || !this.#repeatable) throw refusal;
    } else {
      const gone = refusal && (!refusal.passing || refusal.status === 409);
      const never = !this.#resumable || (!this.#cursor && !this.#repeatable);
      if (gone || never) throw new Lost(true);
    }
  }

  /** Makes sure that sending again makes no second message. Throws what had gone wrong when it might. */
  async #requireOnce(failure: Error): Promise<void> {
    if (this.api.resumes) return;
    try {
      // whoever has not yet said that it is a chatbridge is asked something harmless
      await this.api.json("threads.list", { limit: 1 });
    } catch (error) {
      if (error instanceof Refusal && error.unheard) throw error;
    }
    this.#repeatable = this.api.resumes;
    if (this.#repeatable) return;
    // elsewhere to hang up is to stop
    if (this.#found) this.leave();
    throw failure;
  }
}

/** The number of a frame in its turn; one without is new. */
function numberOf(cursor: string | null): number {
  return Number(cursor?.split("/")[1] ?? Infinity);
}

/** Whether this message is the request's. */
function isOf({ params }: StreamingRequest, message: UserMessageItem): boolean {
  if ("item_id" in params && !("input" in params)) return params.item_id === message.id;
  const said = "input" in params && "content" in params.input ? params.input.content : null;
  const text = (parts: readonly { text: string }[]) => parts.map((part) => part.text).join("\n");
  return said !== null && text(said) === text(message.content);
}

/** Passes after `ms`; sooner when it is left, and, if it may be, when the network or the person is back. */
function pause(ms: number, left: AbortSignal, hurried: boolean): Promise<void> {
  return new Promise((go) => {
    const over = new AbortController();
    const { signal } = over;
    const end = () => {
      clearTimeout(timer);
      over.abort();
      go();
    };
    const timer = setTimeout(end, ms);
    left.addEventListener("abort", end, { signal });
    if (!hurried) return;
    addEventListener("online", end, { signal });
    document.addEventListener(
      "visibilitychange",
      () => {
        if (!document.hidden) end();
      },
      { signal },
    );
  });
}
