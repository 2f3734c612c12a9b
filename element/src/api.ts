/** Requests to the ChatKit endpoint, and what is said when one is refused. */

import type { ChatKitOptions } from "@openai/chatkit";
import type { JsonOperations, StreamingRequest, ThreadEvent } from "./protocol";
import { readEvent } from "./odd";
import { scriptUrl } from "./script";
import { serverSentEvents, type ServerSent } from "./stream";

/** A refusal, with a message for the person. `status` 0: no answer came at all. */
export class Refusal extends Error {
  constructor(
    message: string,
    readonly status: number,
    readonly code: string | null = null,
    /** Milliseconds after which the server wants to be asked again. */
    readonly retryAfter: number | null = null,
  ) {
    super(message);
    this.name = "Refusal";
  }

  /** Whether the same request may succeed later. */
  get passing(): boolean {
    return [0, 408, 409, 425, 429].includes(this.status) || this.status >= 500;
  }

  /** Whether nobody may have taken the request in: no server was there, or none that serves. */
  get unheard(): boolean {
    return [0, 502, 503, 504].includes(this.status);
  }
}

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
/** Long enough for a page that lets the person sign in again first. */
const SEND_PATIENCE_MS = 20_000;

/** The code of a refusal for which somebody was waited long enough. */
export const SILENT = "silent";

/** Only chatbridge serves this script, at `page/chatkit.js`: whoever did is one. */
const scriptOrigin = scriptUrl ? new URL(scriptUrl).origin : null;
/** Where chat sessions (`api.getClientSecret`) are used, unless `api.url` says otherwise. */
const SESSION_URL = scriptUrl ? new URL("../chatkit", scriptUrl).href : "/chatkit";

export class Api {
  readonly #frame = uniqueId();
  #secret: string | null = null;
  #chatbridge: string | null = null;

  constructor(private readonly options: () => ChatKitOptions) {}

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
    return content(await this.#post(type, params));
  }

  /** A thread as it is now, and the id of the answer that was running in it. Throws Refusal. */
  async thread(id: string): Promise<{ thread: ThreadRead; running: string | null }> {
    const response = await this.#post("threads.get_by_id", { thread_id: id });
    return { thread: await content(response), running: response.headers.get("x-turn-id") };
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
    const patience = this.resumes ? SEND_PATIENCE_MS : Infinity;
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
    const url = new URL(this.#url, document.baseURI);
    url.pathname = `${url.pathname.replace(/\/$/, "")}/threads/${encodeURIComponent(threadId)}/events`;
    const headers = { "Last-Event-ID": cursor };
    const sent = { method: "GET", headers, signal, patience };
    return this.#told(await this.#request(url.href, sent), url.href);
  }

  /** Ends an answer where it is being made. Throws Refusal. */
  async stop(address: string): Promise<void> {
    await this.#request(address, { body: {} });
  }

  get #url(): string {
    const { api } = this.options();
    return "url" in api ? api.url : SESSION_URL;
  }

  #post(type: string, params: unknown): Promise<Response> {
    return this.#request(this.#url, { body: { type, params } });
  }

  #told(response: Response, url: string): Telling {
    if (!response.body) throw new Refusal("The server sent no answer.", 502);
    const stopAt = /<([^>]+)>\s*;\s*rel="?stop"?/.exec(response.headers.get("link") ?? "")?.[1];
    const resumable = response.headers.has(RESUMABLE);
    return {
      events: parsed(serverSentEvents(response.body, resumable ? SILENCE_MS : Infinity)),
      resumable,
      stopAt: stopAt ? new URL(stopAt, new URL(url, document.baseURI)).href : null,
    };
  }

  async #request(url: string, sent: Sent): Promise<Response> {
    const first = await this.#send(url, sent);
    const { api } = this.options();
    if (first.status !== 401 || !("getClientSecret" in api)) return accepted(first);
    await this.#renewSecret();
    return accepted(await this.#send(url, sent));
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
    if ("getClientSecret" in api) {
      if (this.#secret === null) await this.#renewSecret();
      headers["Authorization"] = `Bearer ${this.#secret}`;
    }
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
      if (response.headers.has(RESUMABLE)) this.#chatbridge = asked;
      return response;
    } catch (error) {
      if (signal?.aborted) throw error;
      throw unreachable(late ? SILENT : null);
    } finally {
      clearTimeout(timer);
    }
  }

  async #renewSecret(): Promise<void> {
    const { api } = this.options();
    if (!("getClientSecret" in api)) return;
    try {
      this.#secret = await api.getClientSecret(this.#secret);
    } catch {
      throw unreachable();
    }
  }
}

/** Nobody has answered. */
export function unreachable(code: string | null = null): Refusal {
  const message = "The server can't be reached. Check the connection and try again.";
  return new Refusal(message, 0, code);
}

/** An id that nobody else has; also on a page without TLS, which has no `crypto.randomUUID`. */
export function uniqueId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function content<T>(response: Response): Promise<T> {
  try {
    return (await response.json()) as T;
  } catch {
    throw new Refusal("The server's answer can't be read.", 502);
  }
}

async function* parsed(told: AsyncGenerator<ServerSent>): AsyncGenerator<Told> {
  for await (const { id, data } of told) yield { cursor: id, event: readEvent(data) };
}

async function accepted(response: Response): Promise<Response> {
  if (response.ok) return response;
  // a problem document (RFC 9457), if the server speaks so
  const problem: unknown = await response.json().catch(() => null);
  const said = (name: string) => {
    const value = problem && typeof problem === "object" && Reflect.get(problem, name);
    return typeof value === "string" && value ? value : null;
  };
  const message = said("detail") ?? said("title") ?? inWords(response.status);
  throw new Refusal(message, response.status, said("code"), retryAfter(response));
}

function retryAfter(response: Response): number | null {
  const given = response.headers.get("retry-after");
  if (!given) return null;
  const seconds = Number(given);
  const ms = Number.isNaN(seconds) ? Date.parse(given) - Date.now() : seconds * 1_000;
  return Number.isNaN(ms) ? null : Math.max(0, ms);
}

function inWords(status: number): string {
  if (status === 401) return "You are not signed in any more. Sign in and try again.";
  if (status === 403) return "This is not yours to see.";
  if (status === 404) return "This is not here any more.";
  if (status === 429) return "That was too much at once. Wait a moment and try again.";
  return status >= 500
    ? "The server has a problem. Try again in a moment."
    : `The server refused the request (${status}).`;
}
