/** An answer as its server tells it. */

import type { ThreadEvent, UserMessageItem } from "./protocol";
import type { HostFault } from "./refusal";

/** An event of an answer, and where it stands in it: what comes after it can be asked for. */
export interface Told {
  cursor: string | null;
  event: ThreadEvent;
}

/** An answer that is being told: its events, and where it can be stopped. */
export interface Telling {
  events: AsyncGenerator<Told>;
  stopAt: string | null;
  /** What is missed can be had again. */
  resumable: boolean;
  /** For whom it came without a single event. */
  nothing(): HostFault;
}

/** An answer that is being made: the message that it answers, and where it can be stopped. */
export interface Running {
  asked: UserMessageItem;
  stopAt: string;
}
