/** Requests to the ChatKit endpoint, and whether what answers is one. */

import type { ChatKitOptions } from "@openai/chatkit";
import type { JsonOperations, Page, StreamingRequest, Thread } from "./protocol";
import { isAnswer, isRecord, readEvent, readPage, readThread } from "./odd";
import { requireResponse, silentFor, whyNot } from "./diagnosis";
import { uniqueId } from "./ids";
import { addressOf, outgoing, requireWeb } from "./outgoing";
import { accepted, anotherUser, noChat, SILENT, unreachable } from "./refusal";
import { scriptOrigin, SESSION_URL } from "./script";
import { Secret } from "./secret";
import type { ServerSent } from "./stream";
import { RESUMABLE, tellingOf, type Running, type Telling, type Told } from "./telling";
import { unlessLeft, within } from "./within";

interface Sent {
  method?: string;
  headers?: Record<string, string>;
  body?: unknown;
  signal?: AbortSignal | undefined;
  /** Milliseconds until an answer has to begin. */
  patience?: number;
}

/** By it the model is told what day it is. */
const TIME_ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone;
/** Long enough for a page that lets the person sign in again first. */
const SEND_PATIENCE_MS = 20_000;
/** So long whoever is not known to be a chatbridge may take to begin. */
const OTHERS_PATIENCE_MS = 120_000;
/** So long a page may take to let the person sign in, and a server to find what was asked for. */
const JSON_PATIENCE_MS = 120_000;

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

  /**
   * `met` hears whose the chat is, as soon as that is known; `waits`, whether the page's sign-in is slow; `seen`,
   * that items of a thread were read.
   */
  constructor(
    private readonly options: () => ChatKitOptions,
    met: (user: string) => void,
    waits: () => void,
    private readonly seen: (thread: string, whole: boolean, given: boolean) => void,
  ) {
    const known = (user: string) => {
      if (this.#user !== null && this.#user !== user) throw anotherUser();
      met(user);
    };
    this.#secret = new Secret(options, known, waits);
  }

  /** The page's server is taking its time to give the secret of a chat session. */
  get signingIn(): boolean {
    return this.#secret.late;
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
    const { origin } = addressOf(this.#url);
    return this.resumes || origin === location.origin || origin === scriptOrigin;
  }

  /** One operation that is answered with JSON. Throws Refusal. */
  async json<Type extends keyof JsonOperations>(
    type: Type,
    params: JsonOperations[Type][0],
    signal?: AbortSignal,
  ): Promise<JsonOperations[Type][1]> {
    return this.#content(type, await this.#post(type, params, signal));
  }

  /** A page of the threads. Throws Refusal. */
  async threads(range: JsonOperations["threads.list"][0]): Promise<Page<Thread>> {
    const response = await this.#post("threads.list", range);
    const page = readPage(await this.#content("threads.list", response), readThread);
    const waiting = response.headers.get("X-Chatbridge-Waiting")?.split(" ") ?? [];
    const data = page.data.map((thread) => ({ ...thread, waits: waiting.includes(thread.id) }));
    return { ...page, data };
  }

  /** A thread as it is now, and the id of the answer that was running in it. Throws Refusal. */
  async thread(id: string) {
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
    const sent = { body: request, headers, signal, patience };
    return tellingOf(await this.request(url, sent), url, (events) => this.#parsed(events));
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
    return tellingOf(await this.request(url, sent), url, (events) => this.#parsed(events));
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
    const url = addressOf(this.#url);
    url.pathname = `${url.pathname.replace(/\/$/, "")}/threads/${encodeURIComponent(threadId)}/${name}`;
    return url.href;
  }

  /** What is said of the items of a thread; with `body`, something more is said. Throws Refusal. */
  async feedback(thread: string, body?: unknown): Promise<unknown> {
    const sent = body ? { body } : { method: "GET" };
    const url = this.#below(thread, "feedback");
    const response = await this.request(url, { ...sent, patience: JSON_PATIENCE_MS });
    return response.status === 204 ? null : within(JSON_PATIENCE_MS, response.json());
  }

  /** Ends an answer where it is being made. Throws Refusal. */
  async stop(address: string): Promise<void> {
    await this.request(address, { body: {}, patience: JSON_PATIENCE_MS });
  }

  get #url(): string {
    const { api } = this.options();
    return "url" in api ? api.url : SESSION_URL;
  }

  async #post(type: string, params: object, signal?: AbortSignal): Promise<Response> {
    const sent = { body: { type, params }, signal, patience: JSON_PATIENCE_MS };
    const response = await this.request(this.#url, sent);
    const whole = type === "threads.get_by_id";
    const given = response.headers.has("X-Chatbridge-Feedback");
    if ("thread_id" in params && (whole || given))
      this.seen(String(params.thread_id), whole, given);
    return response;
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

  async *#parsed(told: AsyncGenerator<ServerSent>): AsyncGenerator<Told> {
    const asked = this.#url;
    for await (const { id, data } of told) {
      const event = readEvent(data);
      if (/^thread\.(created$|item\.)/.test(event.type)) this.#known = asked;
      yield { cursor: id, event };
    }
  }

  /** Any request of the chat's, with what opens the chat to this person. Throws Refusal. */
  async request(url: string, sent: Sent): Promise<Response> {
    const first = await this.#send(url, sent);
    const isChat = (spoken: boolean) => this.#isChat(sent.body, spoken);
    if (first.status !== 401 || !this.#secret.wanted) return accepted(first, isChat);
    await this.#secret.renew();
    return accepted(await this.#send(url, sent), isChat);
  }

  /**
   * Whether it is a chat server that refused this; `spoken`: in JSON. Of a thread, any server may say by a mere 404
   * that it is not there: then it is asked for something that is there.
   */
  async #isChat(body: unknown, spoken: boolean): Promise<boolean> {
    if (spoken && this.#known === this.#url) return true;
    const named = isRecord(body) && isRecord(body.params) && "thread_id" in body.params;
    return (
      named &&
      this.json("threads.list", { limit: 1 }).then(
        () => true,
        () => false,
      )
    );
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
    if (this.#over) throw anotherUser();
    const own = "fetch" in api && api.fetch;
    if (!own) requireWeb(url);
    if (this.#secret.wanted) {
      const secret = await unlessLeft(this.#secret.get(), signal);
      headers["Authorization"] = `Bearer ${secret}`;
    }
    const request = outgoing(method, headers, body);
    const asked = this.#url;
    const send = own || fetch;
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
      const response = await send(url, { ...request, signal: connection.signal });
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
