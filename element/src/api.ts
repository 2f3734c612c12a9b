/** Requests to the ChatKit endpoint, and whether what answers is one. */

import type { ChatKitOptions } from "@openai/chatkit";
import type { JsonOperations, StreamingRequest, ThreadEvent, UserMessageItem } from "./protocol";
import { readEvent } from "./odd";
import { requireResponse, silentFor, whyNot } from "./diagnosis";
import { accepted, anotherUser, HostFault, noChat, SILENT, unreachable } from "./refusal";
import { scriptUrl } from "./script";
import { Secret } from "./secret";
import { serverSentEvents, type ServerSent } from "./stream";
import { within } from "./within";

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

type ThreadRead = JsonOperations["threads.get_by_id"][1];

interface Sent {
  method?: string;
  headers?: Record<string, string>;
  body?: unknown;
  signal?: AbortSignal;
  /** Milliseconds until an answer has to begin. */
  patience?: number;
}

/** Asks for a stream that can be resumed, says of a stream that it can, and of any answer that streams can. */
const RESUMABLE = "X-Chatbridge-Stream";
/** By it the model is told what day it is. */
const TIME_ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone;
/** Such a stream is never silent for longer than 2 s: then nobody is there any more. */
const SILENCE_MS = 4_000;
/** Any other stream may be silent for so long: some servers send an answer when it is whole. */
const OTHERS_SILENCE_MS = 300_000;
/** Long enough for a page that lets the person sign in again first. */
const SEND_PATIENCE_MS = 20_000;
/** So long whoever is not known to be a chatbridge may take to begin. */
const OTHERS_PATIENCE_MS = 120_000;
/** So long a page may take to let the person sign in, and a server to find what was asked for. */
const JSON_PATIENCE_MS = 120_000;

/** Only chatbridge serves this script, at `page/chatkit.js`: whoever did is one. */
const scriptOrigin = scriptUrl ? new URL(scriptUrl).origin : null;
/** Where chat sessions (`api.getClientSecret`) are used, unless `api.url` says otherwise. */
const SESSION_URL = scriptUrl ? new URL("../chatkit", scriptUrl).href : "/chatkit";

export class Api {
  readonly #frame = uniqueId();
  readonly #secret: Secret;
  #chatbridge: string | null = null;
  /** Where something has answered already. */
  #met: string | null = null;
  /** Where a chat server has answered already: what it refuses it may refuse in any JSON. */
  #known: string | null = null;
  #user: string | null = null;
  #over = false;

  /** `met` hears whose the chat is, as soon as that is known. */
  constructor(
    private readonly options: () => ChatKitOptions,
    met: (user: string) => void,
  ) {
    this.#secret = new Secret(options, (user) => {
      if (this.#user !== null && this.#user !== user) throw anotherUser();
      met(user);
    });
  }

  /** Whom the chat is for from now on, as the page says; what opened it to another is forgotten. */
  belong(user: string): void {
    this.#user = user;
    this.#over = false;
    this.#secret.forget();
  }

  /** Nothing goes out any more: the chat is not that of who is signed in now. */
  end(): void {
    this.#over = true;
    this.#secret.forget();
  }

  /** Finds out whose the chat is, where that costs no request to the chat's server. */
  async meet(): Promise<void> {
    if (this.#secret.wanted) await this.#secret.get();
  }

  /** Makes sure after a while that it still is. Throws Refusal. */
  async check(): Promise<void> {
    if (!this.#over) await this.#secret.check();
  }

  /** The server has said that it is a chatbridge: it keeps answers, and a repeated send happens once. */
  get resumes(): boolean {
    return this.#chatbridge === this.#url;
  }

  /**
   * Whether to send headers that ChatKit's protocol does not have. A server of another origin that has not
   * allowed them would never see the request: it has to be a chatbridge for sure.
   */
  get asksToResume(): boolean {
    const { origin } = new URL(this.#url, document.baseURI);
    return this.resumes || origin === location.origin || origin === scriptOrigin;
  }

  /** One operation that is answered with JSON. Throws Refusal. */
  async json<Type extends keyof JsonOperations>(
    type: Type,
    params: JsonOperations[Type][0],
  ): Promise<JsonOperations[Type][1]> {
    return this.#content(type, await this.#post(type, params));
  }

  /** A thread as it is now, and the id of the answer that was running in it. Throws Refusal. */
  async thread(id: string): Promise<{ thread: ThreadRead; running: string | null }> {
    const response = await this.#post("threads.get_by_id", { thread_id: id });
    const thread = await this.#content("threads.get_by_id", response);
    return { thread, running: response.headers.get("x-turn-id") };
  }

  /**
   * One operation that is answered with events. The same `key` with the same request is the same answer, from
   * its start. Throws Refusal; the events reject when the connection breaks.
   */
  async ask(request: StreamingRequest, key: string, signal: AbortSignal): Promise<Telling> {
    const { asksToResume } = this;
    const headers = asksToResume
      ? { "Idempotency-Key": key, [RESUMABLE]: "resumable", "X-Chatbridge-Time-Zone": TIME_ZONE }
      : {};
    const patience = this.resumes ? SEND_PATIENCE_MS : OTHERS_PATIENCE_MS;
    const url = this.#url;
    return this.#told(await this.#request(url, { body: request, headers, signal, patience }), url);
  }

  /**
   * What an answer says after `cursor`. Throws Refusal, also when nothing comes for `patience` milliseconds; the
   * events reject when the connection breaks.
   */
  async resume(
    threadId: string,
    cursor: string,
    signal: AbortSignal,
    patience: number,
  ): Promise<Telling> {
    const url = this.#below(threadId, "events");
    const headers = { "Last-Event-ID": cursor };
    const sent = { method: "GET", headers, signal, patience };
    return this.#told(await this.#request(url, sent), url);
  }

  /**
   * The answer that runs in a thread (null: the newest), if one does: what it answers, and where it is stopped.
   * Throws Refusal.
   */
  async running(thread: string | null): Promise<Running | null> {
    const newest = { limit: 1, order: "desc" as const };
    const id = thread ?? (await this.json("threads.list", newest)).data[0]?.id;
    if (!id || !(await this.thread(id)).running) return null;
    const last = { thread_id: id, limit: 10, order: "desc" as const };
    const { data } = await this.json("items.list", last);
    const asked = data.find((item) => item.type === "user_message");
    return asked ? { asked, stopAt: this.#below(id, "cancel") } : null;
  }

  #below(threadId: string, name: string): string {
    const url = new URL(this.#url, document.baseURI);
    url.pathname = `${url.pathname.replace(/\/$/, "")}/threads/${encodeURIComponent(threadId)}/${name}`;
    return url.href;
  }

  /** Ends an answer where it is being made. Throws Refusal. */
  async stop(address: string): Promise<void> {
    await this.#request(address, { body: {}, patience: JSON_PATIENCE_MS });
  }

  get #url(): string {
    const { api } = this.options();
    return "url" in api ? api.url : SESSION_URL;
  }

  #post(type: string, params: unknown): Promise<Response> {
    return this.#request(this.#url, { body: { type, params }, patience: JSON_PATIENCE_MS });
  }

  /** The answer of an operation. Throws HostFault where it is something else. */
  async #content<Type extends keyof JsonOperations>(
    type: Type,
    response: Response,
  ): Promise<JsonOperations[Type][1]> {
    const reading: Promise<unknown> = response.json();
    const answer = await within(JSON_PATIENCE_MS, reading).catch(() => null);
    if (!isAnswer(type, answer)) throw noChat(response);
    this.#known = this.#url;
    return answer as JsonOperations[Type][1];
  }

  #told(response: Response, url: string): Telling {
    const { body, headers } = response;
    const type = headers.get("content-type") ?? "";
    if (!body || !type.startsWith("text/event-stream")) throw noChat(response);
    const stopAt = /<([^>]+)>\s*;\s*rel="?stop"?/.exec(headers.get("link") ?? "")?.[1];
    const resumable = headers.has(RESUMABLE);
    const silence = resumable ? SILENCE_MS : OTHERS_SILENCE_MS;
    return {
      events: this.#parsed(serverSentEvents(body, silence)),
      resumable,
      nothing: () => noChat(response, "nothing before the end of its stream"),
      stopAt: stopAt ? new URL(stopAt, new URL(url, document.baseURI)).href : null,
    };
  }

  async *#parsed(told: AsyncGenerator<ServerSent>): AsyncGenerator<Told> {
    const asked = this.#url;
    for await (const { id, data } of told) {
      const event = readEvent(data);
      if (/^thread\.(created$|item\.)/.test(event.type)) this.#known = asked;
      yield { cursor: id, event };
    }
  }

  async #request(url: string, sent: Sent): Promise<Response> {
    const first = await this.#send(url, sent);
    const known = this.#known === this.#url;
    if (first.status !== 401 || !this.#secret.wanted) return accepted(first, known);
    await this.#secret.renew();
    return accepted(await this.#send(url, sent), known);
  }

  async #send(
    url: string,
    { method = "POST", headers: more, body, signal, patience = Infinity }: Sent,
  ): Promise<Response> {
    const { api, locale } = this.options();
    const headers: Record<string, string> = {
      Accept: "text/event-stream, application/json",
      "Accept-Language": locale ?? navigator.language,
      "ChatKit-Frame-Instance-Id": this.#frame,
      ...more,
    };
    if (body) headers["Content-Type"] = "application/json";
    if (this.#over) throw anotherUser();
    if (this.#secret.wanted) headers["Authorization"] = `Bearer ${await this.#secret.get()}`;
    const asked = this.#url;
    const send = ("fetch" in api && api.fetch) || fetch;
    const connection = new AbortController();
    const leave = () => connection.abort();
    signal?.addEventListener("abort", leave);
    if (signal?.aborted) leave();
    let late = false;
    const giveUp = () => {
      late = true;
      leave();
    };
    const timer = patience < Infinity ? setTimeout(giveUp, patience) : undefined;
    try {
      const request = { method, headers, signal: connection.signal };
      const response = await send(url, body ? { ...request, body: JSON.stringify(body) } : request);
      requireResponse(response);
      this.#met = asked;
      if (response.headers.has(RESUMABLE)) this.#chatbridge = asked;
      return response;
    } catch (error) {
      if (signal?.aborted) throw error;
      if (late) throw this.resumes ? unreachable(SILENT) : silentFor(url, patience);
      throw await whyNot(url, error, this.#met !== asked);
    } finally {
      clearTimeout(timer);
    }
  }
}

/** An id that nobody else has; also on a page without TLS, which has no `crypto.randomUUID`. */
export function uniqueId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Whether it may be read as what was asked for. */
function isAnswer(type: string, answer: unknown): boolean {
  if (!answer || typeof answer !== "object") return false;
  const page: unknown = type === "threads.get_by_id" ? Reflect.get(answer, "items") : answer;
  const paged = page !== answer || type.endsWith(".list");
  return !paged || Array.isArray(page && Reflect.get(page, "data"));
}
