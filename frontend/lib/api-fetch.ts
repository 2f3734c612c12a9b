"use client";

import { AnotherUser, SignedOut, type Credential } from "@/lib/credentials";

/** How a page of one user's asks chatbridge. */
type Asking = {
  userId: string;
  credential: Credential;
  /** Nobody is signed in; the body of the request that found it out. */
  signedOut: (body: unknown) => void;
  /** Somebody else is. */
  another: () => void;
};

/**
 * `fetch` to chatbridge as this user, and as nobody else. A credential that is refused is replaced once; the cookie
 * goes along, so that the app can tell whether it is still this user's.
 */
export function apiFetch({ userId, credential, signedOut, another }: Asking): typeof fetch {
  async function asked(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
    const headers = new Headers(init?.headers);
    headers.set("Authorization", `Bearer ${await credential.get(userId)}`);
    return fetch(input, { ...init, headers, credentials: "same-origin" });
  }

  return async (input, init) => {
    try {
      let answer = await asked(input, init);
      if (answer.status === 401) {
        credential.forget();
        answer = await asked(input, init);
      }
      if (answer.status === 401) signedOut(init?.body);
      if (await isAnothers(answer)) another();
      return answer;
    } catch (error) {
      if (error instanceof SignedOut) signedOut(init?.body);
      if (!(error instanceof AnotherUser)) throw error;
      another();
      const { message: detail } = error;
      return Response.json({ status: 403, code: ANOTHER_USER, detail }, { status: 403 });
    }
  };
}

const ANOTHER_USER = "another_user";

async function isAnothers(answer: Response): Promise<boolean> {
  if (answer.status !== 403) return false;
  const problem: unknown = await answer
    .clone()
    .json()
    .catch(() => null);
  return problem !== null && (problem as { code?: string }).code === ANOTHER_USER;
}

/** Goes to the sign-in, and from there back to this page. */
export function toSignIn(): void {
  const here = window.location.pathname + window.location.search;
  window.location.assign(`/login?${new URLSearchParams({ expired: "1", next: here })}`);
}
