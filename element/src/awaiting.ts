/** An answer that is told no more, or is not told here at all: the thread is read until it is there. */

import { HostFault, Refusal } from "./refusal";
import { Room } from "./room";
import { within } from "./within";

/** Pauses between looks for an answer whose stream was lost; the last one is repeated. */
const PAUSES_MS = [300, 700, 1_500, 3_000];
const PATIENCE_MS = 60_000;
/** What was read so long ago may lack what was said elsewhere: it is read again before a message goes out. */
const STALE_MS = 5_000;
/** A message waits no longer for that. */
const LOOK_MS = 2_000;

export abstract class Awaiting extends Room {
  #waiting: AbortController | null = null;

  protected waitNoMore(): void {
    this.#waiting?.abort();
  }

  /** What was said elsewhere comes before what is said now. */
  protected async lookBefore(left: AbortSignal): Promise<void> {
    const id = this.threadId;
    if (!id || Date.now() - this.read < STALE_MS) return;
    const { signal } = this.visit;
    const found = await within(LOOK_MS, this.newest(id)).catch(() => null);
    if (!found || signal.aborted || left.aborted) return;
    this.show(found);
    this.listener.changed();
  }

  /** A wait that the person can end, and that ends with the visit. */
  protected waits(left?: AbortSignal): AbortController {
    const waiting = (this.#waiting = new AbortController());
    for (const signal of [this.visit.signal, left])
      signal?.addEventListener("abort", () => waiting.abort(), { signal: waiting.signal });
    return waiting;
  }

  /** Looks again and again, for a minute, until something follows the last message. */
  protected async answered(signal: AbortSignal): Promise<boolean> {
    const id = this.threadId;
    let until = Date.now() + PATIENCE_MS;
    for (let look = 0; id && Date.now() < until; look++) {
      await pause(PAUSES_MS[look] ?? PAUSES_MS.at(-1)!, signal);
      if (signal.aborted) return false;
      try {
        const found = await this.newest(id);
        if (signal.aborted) return false;
        if (found.running) until = Date.now() + PATIENCE_MS;
        if (found.page.data.at(-1)?.type === "user_message") continue;
        this.show(found);
        this.listener.changed();
        if (!found.running) return true;
      } catch (error) {
        if (error instanceof HostFault || (error instanceof Refusal && !error.passing))
          return false;
      }
    }
    return false;
  }
}

/** Passes after `ms`, or when it is given up. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((go) => {
    setTimeout(go, ms);
    signal.addEventListener("abort", () => go());
  });
}
