"use client";

import { SignedOut, type Credential } from "@/lib/credentials";

/**
 * `fetch` to chatbridge as the user who is signed in. A credential that is refused is replaced once;
 * when that is refused too, `refused` is told, with the body of the request.
 */
export function apiFetch(credential: Credential, refused: (body: unknown) => void): typeof fetch {
  async function asked(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
    const headers = new Headers(init?.headers);
    headers.set("Authorization", `Bearer ${await credential.get()}`);
    return fetch(input, { ...init, headers, credentials: "omit" });
  }

  return async (input, init) => {
    try {
      const answer = await asked(input, init);
      if (answer.status !== 401) return answer;
      credential.forget();
      const again = await asked(input, init);
      if (again.status === 401) refused(init?.body);
      return again;
    } catch (error) {
      if (error instanceof SignedOut) refused(init?.body);
      throw error;
    }
  };
}

/** Goes to the sign-in, and from there back to this page. */
export function toSignIn(): void {
  const here = window.location.pathname + window.location.search;
  window.location.assign(`/login?${new URLSearchParams({ expired: "1", next: here })}`);
}
