/** The way to chatbridge: passes on what the chat needs, byte by byte, and nothing else. */

import type { NextRequest } from "next/server";
import { chatbridge } from "@/lib/chatbridge";
import { problem } from "@/lib/problem";
import { notTheirs } from "@/lib/signed-in";

export const dynamic = "force-dynamic";

const ROUTES = [
  { method: "POST", path: /^chatkit$/ },
  { method: "POST", path: /^chatkit\/threads\/[A-Za-z0-9_-]{1,128}\/cancel$/ },
  { method: "GET", path: /^chatkit\/threads\/[A-Za-z0-9_-]{1,128}\/events$/ },
  { method: "GET", path: /^chatkit\/threads\/[A-Za-z0-9_-]{1,128}\/feedback$/ },
  { method: "POST", path: /^chatkit\/threads\/[A-Za-z0-9_-]{1,128}\/feedback$/ },
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
const MAX_BODY = 1024 * 1024;

export const GET = passOn;
export const POST = passOn;

async function passOn(request: NextRequest): Promise<Response> {
  const path = request.nextUrl.pathname.replace(/^\/api\/chatbridge\//, "");
  const routes = ROUTES.filter((route) => route.path.test(path));
  if (routes.length === 0) return problem(404, "no_such_path", "There is nothing at this path.");
  if (!routes.some((route) => route.method === request.method)) {
    return problem(405, "method_not_allowed", "This path does not take this method.");
  }
  if (Number(request.headers.get("content-length")) > MAX_BODY) {
    return problem(413, "too_large", "A request has at most 1 MiB.");
  }
  try {
    return (await notTheirs(request.headers)) ?? relayed(await ask(path, request));
  } catch {
    if (request.signal.aborted) return new Response(null, { status: 499 });
    return problem(502, "chatbridge_away", "The chat's server can't be reached; try again soon.");
  }
}

function ask(path: string, request: NextRequest): Promise<Response> {
  const streamed: RequestInit & { duplex: "half" } = {
    method: request.method,
    headers: only(TO_CHATBRIDGE, request.headers),
    body: request.body,
    duplex: "half",
    signal: request.signal,
    cache: "no-store",
    redirect: "manual",
  };
  return fetch(chatbridge(path + request.nextUrl.search), streamed);
}

function relayed(answer: Response): Response {
  const headers = only(TO_CLIENT, answer.headers);
  // without `no-transform` a compressor in between gathers the stream
  headers.set("Cache-Control", "no-store, no-transform");
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
