/** A chat session of whoever is signed in: its secret opens the chat alone, for ten minutes. */

import type { NextRequest } from "next/server";
import { auth } from "@/lib/auth";
import { chatbridge } from "@/lib/chatbridge";
import { problem } from "@/lib/problem";

export async function POST({ headers, signal }: NextRequest): Promise<Response> {
  const session = await auth().api.getSession({ headers });
  if (!session) return problem(401, "signed_out", "Nobody is signed in.");
  const { token } = await auth().api.getToken({ headers });
  try {
    return await made(session.user.id, token, signal);
  } catch (error) {
    if (signal.aborted) return new Response(null, { status: 499 });
    console.error("No chat session:", error);
    return problem(502, "no_chat_session", "The chat can't be opened just now; try again soon.");
  }
}

async function made(user: string, token: string, signal: AbortSignal): Promise<Response> {
  const answer = await fetch(chatbridge(`api/${encodeURIComponent(user)}/chatkit/session`), {
    method: "POST",
    headers: { Authorization: `Bearer ${token}` },
    signal,
    cache: "no-store",
    redirect: "manual",
  });
  // the user is signed in: what is refused now is for the operator to mend
  if (!answer.ok) throw new Error(`chatbridge says ${answer.status}: ${await answer.text()}`);
  return Response.json(await answer.json(), { headers: { "Cache-Control": "no-store" } });
}
