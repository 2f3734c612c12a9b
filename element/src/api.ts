/** Requests to the ChatKit endpoint, and what is said when one is refused. */

import type { ChatKitOptions } from "@openai/chatkit";
import type { JsonOperations, StreamingRequest, ThreadEvent } from "./protocol";
import { serverSentData } from "./stream";

/** A refusal, with a message for the person. `status` 0: no answer came at all. */
export class Refusal extends Error {
  constructor(
    message: string,
    readonly status: number,
    readonly code: string | null = null,
  ) {
    super(message);
    this.name = "Refusal";
  }

  /** Whether the same request may succeed later. */
  get passing(): boolean {
    return [0, 408, 409, 425, 429].includes(this.status) || this.status >= 500;
  }
}

/** An answer that is being told: its events, and where it can be stopped. */
export interface Telling {
  events: AsyncGenerator<ThreadEvent>;
  stopAt: string | null;
}

/** Where chat sessions (`api.getClientSecret`) are used, unless `api.url` says otherwise. */
const SESSION_URL = "/chatkit";

export class Api {
  readonly #frame = crypto.randomUUID?.() ?? String(Math.random());
  #secret: string | null = null;

  constructor(private readonly options: () => ChatKitOptions) {}

  /** One operation that is answered with JSON. Throws Refusal. */
  async json<Type extends keyof JsonOperations>(
    type: Type,
    params: JsonOperations[Type][0],
  ): Promise<JsonOperations[Type][1]> {
    const response = await this.#post(this.#url, { type, params });
    try {
      return (await response.json()) as JsonOperations[Type][1];
    } catch {
      throw new Refusal("The server's answer can't be read.", 502);
    }
  }

  /** One operation that is answered with events. Throws Refusal; the events reject when the connection breaks. */
  async stream(request: StreamingRequest, signal: AbortSignal): Promise<Telling> {
    const response = await this.#post(this.#url, request, signal);
    if (!response.body) throw new Refusal("The server sent no answer.", 502);
    const stopAt = /<([^>]+)>\s*;\s*rel="?stop"?/.exec(response.headers.get("link") ?? "")?.[1];
    const base = new URL(this.#url, document.baseURI);
    return {
      events: parsed(serverSentData(response.body)),
      stopAt: stopAt ? new URL(stopAt, base).href : null,
    };
  }

  /** Ends an answer where it is being made. Throws Refusal. */
  async stop(address: string): Promise<void> {
    await this.#post(address, {});
  }

  get #url(): string {
    const { api } = this.options();
    return "url" in api ? api.url : SESSION_URL;
  }

  async #post(url: string, body: unknown, signal?: AbortSignal): Promise<Response> {
    const first = await this.#send(url, body, signal);
    const { api } = this.options();
    if (first.status !== 401 || !("getClientSecret" in api)) return accepted(first);
    this.#secret = await api.getClientSecret(this.#secret);
    return accepted(await this.#send(url, body, signal));
  }

  async #send(url: string, body: unknown, signal?: AbortSignal): Promise<Response> {
    const { api, locale } = this.options();
    const headers: Record<string, string> = {
      "Content-Type": "application/json",
      Accept: "text/event-stream, application/json",
      "Accept-Language": locale ?? navigator.language,
      "ChatKit-Frame-Instance-Id": this.#frame,
    };
    if ("getClientSecret" in api) {
      this.#secret ??= await api.getClientSecret(null);
      headers["Authorization"] = `Bearer ${this.#secret}`;
    }
    const send = ("fetch" in api && api.fetch) || fetch;
    const request = { method: "POST", headers, body: JSON.stringify(body) };
    try {
      return await send(url, signal ? { ...request, signal } : request);
    } catch (error) {
      if (signal?.aborted) throw error;
      throw new Refusal("The server can't be reached. Check the connection and try again.", 0);
    }
  }
}

async function* parsed(data: AsyncGenerator<string>): AsyncGenerator<ThreadEvent> {
  for await (const text of data) yield JSON.parse(text) as ThreadEvent;
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
  throw new Refusal(message, response.status, said("code"));
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
