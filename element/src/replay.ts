/** What an answer has said already, told again from its start to somebody who has come in the middle. */

import { textOf, wordsIn } from "./odd";
import type { ThreadEvent, ThreadItem } from "./protocol";
import type { ThreadState } from "./state";

/** What can't be made to fit is shown as it is so long after the first event. */
const HOLD_MS = 1_000;

/** Takes events in unseen, until they have come as far as what is shown: nothing that was there goes away. */
export class Replay {
  readonly state: ThreadState;
  readonly #last: ThreadItem | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** `caughtUp` is called when what was held back can be shown. */
  constructor(
    shown: ThreadState,
    private readonly caughtUp: () => void,
  ) {
    this.state = shown.copy();
    this.#last = [...shown.items.values()].at(-1);
  }

  take(event: ThreadEvent): void {
    this.#timer ??= setTimeout(this.caughtUp, HOLD_MS);
    this.state.apply(event);
    if (event.type === "error" || !this.#isBehind()) this.caughtUp();
  }

  /** Holds nothing back any more; what is to be shown. */
  over(): ThreadState {
    clearTimeout(this.#timer);
    return this.state;
  }

  #isBehind(): boolean {
    const last = this.#last;
    if (!last || last.type === "user_message") return false;
    const now = this.state.items.get(last.id);
    if (!now || now === last) return !!now;
    if (last.type === "assistant_message") return textOf(now).length < textOf(last).length;
    // while a card of calls grows it is not yet the same as one that was read, and says the same
    if (last.type === "widget") return wordsIn(now) !== wordsIn(last);
    return JSON.stringify(now) !== JSON.stringify(last);
  }
}
