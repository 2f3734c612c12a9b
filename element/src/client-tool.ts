/** Tools that the page has: a call is run by one tab, and by no page twice. */

import type { ChatKitOptions } from "@openai/chatkit";
import { isSame } from "./asks";
import { uniqueId } from "./ids";
import type { ClientToolCallItem } from "./protocol";
import type { Refusal } from "./refusal";

/** The tab that asked comes first. */
const AFTER_MS = 1_000;
/** Only pages with an origin and TLS have them, or such of this machine. */
const locks = origin === "null" ? null : navigator.locks;

/** A call that this page runs, or will run when no other tab does. */
export interface Taken {
  thread: string;
  call: ClientToolCallItem;
  /** Sent again it is the same output. */
  key: string;
  /** What came of it, once it has. */
  output: { value: unknown; failed: boolean } | null;
  /** It is on its way, or was in vain. */
  given: boolean;
  over(): void;
}

/** What they need from around them. */
export interface Around {
  run(): ChatKitOptions["onClientTool"];
  /** Reads again whether it still waits. */
  waits(taken: Taken): Promise<boolean>;
  /** Gives what came of it; null: it was taken. */
  give(taken: Taken, value: unknown): Promise<Refusal | null>;
  /** Says that it could not be given. */
  failed(taken: Taken, error: Refusal): void;
  /** Settles what waits in this thread; false: another one is open. */
  settle(thread: string): boolean;
}

export class PageTools {
  readonly #taken = new Set<Taken>();

  constructor(private readonly around: Around) {}

  /** Runs the call that waits in a thread, or gives what came of it. `mine`: this tab has asked. */
  settle(thread: string, call: ClientToolCallItem | null, mine: boolean): void {
    let known: Taken | null = null;
    for (const taken of this.#taken) {
      if (call && isSame(call, taken.call)) known = taken;
      else if (taken.thread === thread) taken.over();
    }
    if (known) void this.#give(known);
    else if (call && (mine || (locks && this.around.run()))) void this.#take(thread, call, mine);
  }

  async #take(thread: string, call: ClientToolCallItem, mine: boolean): Promise<void> {
    const over = () => {};
    const taken: Taken = { thread, call, key: uniqueId(), output: null, given: false, over };
    this.#taken.add(taken);
    if (!mine) await new Promise((go) => setTimeout(go, AFTER_MS));
    await alone(`chatbridge ${call.call_id}`, async (first) => {
      // whoever had it before may have given what came of it
      if ((first && mine) || (await this.around.waits(taken))) await this.#run(taken);
      else this.#taken.delete(taken);
    });
  }

  async #run(taken: Taken): Promise<void> {
    taken.output = await called(this.around.run(), taken.call);
    await new Promise<void>((over) => {
      taken.over = over;
      if (!this.around.settle(taken.thread)) void this.#give(taken);
    });
  }

  async #give(taken: Taken): Promise<void> {
    const { output } = taken;
    if (!output || taken.given) return;
    taken.given = true;
    const refusal = await this.around.give(taken, output.value);
    if (!refusal) return taken.over();
    const { status, code, message } = refusal;
    taken.given = status === 409 && code !== "turn_running";
    if (taken.given) taken.over();
    if (status === 409) return void this.around.waits(taken);
    if (![413, 422].includes(status) || output.failed) return this.around.failed(taken, refusal);
    taken.output = failed(`The output was refused: ${message}`);
    this.around.settle(taken.thread);
  }
}

/** Does it when no other tab does; `first`: none did. */
async function alone(name: string, step: (first: boolean) => Promise<void>): Promise<void> {
  if (!locks) return step(true);
  const free = await locks.request(name, { ifAvailable: true }, async (lock) => {
    if (lock) await step(true);
    return lock !== null;
  });
  if (!free) await locks.request(name, () => step(false));
}

/** What came of a call, as JSON holds it. */
async function called(
  run: ChatKitOptions["onClientTool"],
  call: ClientToolCallItem,
): Promise<{ value: unknown; failed: boolean }> {
  if (!run) return failed("This page has no such tool.");
  try {
    const brought: unknown = await run({ name: call.name, params: call.arguments });
    const text = JSON.stringify(brought ?? null);
    return { value: JSON.parse(text), failed: false };
  } catch (error) {
    return failed(String(error));
  }
}

const failed = (error: string) => ({ value: { error }, failed: true });
