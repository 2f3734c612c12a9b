import "server-only";

import { decodeJwt } from "jose";
import { auth } from "@/lib/auth";
import { problem } from "@/lib/problem";

/**
 * Why a request with a token may not be passed on: its browser's session has ended, or is another person's. Null
 * if it may, or has no token, which chatbridge refuses by itself.
 */
export async function notTheirs(headers: Headers): Promise<Response | null> {
  const token = headers.get("authorization")?.replace(/^Bearer /i, "");
  if (!token) return null;
  const session = await auth().api.getSession({ headers, query: { disableRefresh: true } });
  if (!session) return problem(401, "signed_out", "Nobody is signed in.");
  if (session.user.id === subjectOf(token)) return null;
  return problem(403, "another_user", "Somebody else is signed in now. Reload the page to go on.");
}

/** Whose token it says it is: whether that is so is chatbridge's to verify. */
function subjectOf(token: string): string | undefined {
  try {
    return decodeJwt(token).sub;
  } catch {
    return undefined;
  }
}
