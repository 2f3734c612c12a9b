/** An answer as its server tells it. */

import type { ThreadEvent, UserMessageItem } from "./protocol";
import { noChat, type HostFault } from "./refusal";
import { serverSentEvents, type ServerSent } from "./stream";

/** Asks for a stream that can be resumed, says of a stream that it can, and of any answer that streams can. */
export const RESUMABLE = "X-Chatbridge-Stream";
/** Of an answer that is joined: how many of its frames had been told. */
const TOLD = /told=(\d+)/;
/** Such a stream is never silent for longer than 2 s: then nobody is there any more. */
const SILENCE_MS = 4_000;
/** Any other stream may be silent for so long: some servers send an answer when it is whole. */
const OTHERS_SILENCE_MS = 300_000;

/** An event of an answer, and where it stands in it: what comes after it can be asked for. */
export interface Told {
  cursor: string | null;
  event: ThreadEvent;
}

/** An answer that is being told: its events, and where it can be stopped. */
export interface Telling {
  events: AsyncGenerator<Told>;
  stopAt: string | null;
  /** So many of its frames were there when it was asked for. */
  told: number;
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

/** The answer that comes with a response to a request of this address. Throws HostFault where it is none. */
export function tellingOf(
  response: Response,
  url: string,
  parsed: (events: AsyncGenerator<ServerSent>) => AsyncGenerator<Told>,
): Telling {
  const { body, headers } = response;
  const type = headers.get("content-type") ?? "";
  if (!body || !type.startsWith("text/event-stream")) throw noChat(response);
  const stopAt = /<([^>]+)>\s*;\s*rel="?stop"?/.exec(headers.get("link") ?? "")?.[1];
  const resumable = headers.has(RESUMABLE);
  const silence = resumable ? SILENCE_MS : OTHERS_SILENCE_MS;
  return {
    events: parsed(serverSentEvents(body, silence)),
    told: Number(TOLD.exec(headers.get(RESUMABLE) ?? "")?.[1] ?? Infinity),
    resumable,
    nothing: () => noChat(response, "nothing before the end of its stream"),
    stopAt: stopAt ? new URL(stopAt, new URL(url, document.baseURI)).href : null,
  };
}
