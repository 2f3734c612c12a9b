/** The way to chatbridge: passes on what the chat needs, byte by byte, and nothing else. */

import type { NextRequest } from "next/server";
import { chatbridge } from "@/lib/chatbridge";
import { problem } from "@/lib/problem";
import { notTheirs } from "@/lib/signed-in";

export const dynamic = "force-dynamic";

/** `file`: it takes or gives a file, whose limits and cache are chatbridge's to know. */
type Route = { method: string; path: RegExp; file?: true };

const ROUTES: Route[] = [
  { method: "POST", path: /^chatkit$/ },
  { method: "GET", path: /^chatkit\/menus$/ },
  { method: "POST", path: /^chatkit\/threads\/[A-Za-z0-9_-]{1,128}\/cancel$/ },
  { method: "GET", path: /^chatkit\/threads\/[A-Za-z0-9_-]{1,128}\/events$/ },
  { method: "GET", path: /^chatkit\/threads\/[A-Za-z0-9_-]{1,128}\/feedback$/ },
  { method: "POST", path: /^chatkit\/threads\/[A-Za-z0-9_-]{1,128}\/feedback$/ },
  // a signed address, which needs no token
  { method: "GET", path: /^attachments\/[A-Za-z0-9_-]{1,128}$/, file: true },
  { method: "PUT", path: /^attachments\/[A-Za-z0-9_-]{1,128}$/, file: true },
  { method: "POST", path: /^chatkit\/attachments$/, file: true },
  { method: "GET", path: /^api\/[A-Za-z0-9_-]{1,128}\/tags$/ },
  { method: "GET", path: /^api\/[A-Za-z0-9_-]{1,128}\/tasks$/ },
];
// cookies and what a client says of its address stay here
const TO_CHATBRIDGE = [
  "accept",
  "accept-language",
  "authorization",
  "chatkit-frame-instance-id",
  "content-type",
  "idempotency-key",
  "last-event-id",
  "x-chatbridge-on-busy",
  "x-chatbridge-stream",
  "x-chatbridge-time-zone",
  "x-request-id",
];
const TO_CLIENT = [
  "content-type",
  "link",
  "retry-after",
  "www-authenticate",
  "x-chatbridge-feedback",
  "x-chatbridge-waiting",
  "x-chatbridge-stream",
  "x-conversation-id",
  "x-request-id",
  "x-turn-id",
];
const FOR_FILE = ["content-length", "if-range", "range"];
const OF_FILE = [
  "accept-ranges",
  "cache-control",
  "content-disposition",
  "content-length",
  "content-range",
];
const MAX_BODY = 1024 * 1024;

export const GET = passOn;
export const POST = passOn;
export const PUT = passOn;

async function passOn(request: NextRequest): Promise<Response> {
  const path = request.nextUrl.pathname.replace(/^\/api\/chatbridge\//, "");
  const routes = ROUTES.filter((route) => route.path.test(path));
  if (routes.length === 0) return problem(404, "no_such_path", "There is nothing at this path.");
  const route = routes.find(({ method }) => method === request.method);
  if (!route) return problem(405, "method_not_allowed", "This path does not take this method.");
  if (!route.file && Number(request.headers.get("content-length")) > MAX_BODY) {
    return problem(413, "too_large", "A request has at most 1 MiB.");
  }
  try {
    return (await notTheirs(request.headers)) ?? relayed(await ask(path, request, route), route);
  } catch {
    if (request.signal.aborted) return new Response(null, { status: 499 });
    return problem(502, "chatbridge_away", "The chat's server can't be reached; try again soon.");
  }
}

async function ask(path: string, request: NextRequest, { file }: Route): Promise<Response> {
  const passed = file && request.body ? new Passed(request.body) : null;
  const streamed: RequestInit & { duplex: "half" } = {
    method: request.method,
    // by its length a file that is too large is refused before it is sent
    headers: only(file ? [...TO_CHATBRIDGE, ...FOR_FILE] : TO_CHATBRIDGE, request.headers),
    body: passed?.stream ?? request.body,
    duplex: "half",
    signal: request.signal,
    cache: "no-store",
    redirect: "manual",
  };
  try {
    return await fetch(chatbridge(path + request.nextUrl.search), streamed);
  } finally {
    void passed?.rest();
  }
}

/** A body that is passed on, until there is an answer; then the rest is read: only after it its sender reads why. */
class Passed {
  readonly stream: ReadableStream<Uint8Array>;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;

  constructor(body: ReadableStream<Uint8Array>) {
    const reader = body.getReader();
    this.#reader = reader;
    this.stream = new ReadableStream({
      async pull(controller) {
        const { done, value } = await reader.read();
        if (done) controller.close();
        else controller.enqueue(value);
      },
    });
  }

  async rest(): Promise<void> {
    try {
      while (!(await this.#reader.read()).done);
    } catch {
      // its sender has gone
    }
  }
}

function relayed(answer: Response, { file }: Route): Response {
  const headers = only(file ? [...TO_CLIENT, ...OF_FILE] : TO_CLIENT, answer.headers);
  // without `no-transform` a compressor in between gathers the stream
  if (!headers.has("Cache-Control")) headers.set("Cache-Control", "no-store, no-transform");
  headers.set("X-Accel-Buffering", "no");
  return new Response(answer.body, { status: answer.status, headers });
}

function only(names: readonly string[], headers: Headers): Headers {
  const passed = new Headers();
  for (const name of names) {
    const value = headers.get(name);
    if (value !== null) passed.set(name, value);
  }
  return passed;
}
