"use client";

/** Nobody is signed in (any more). */
export class SignedOut extends Error {}

/** What opens chatbridge to the user who is signed in. */
export type Credential = {
  /**
   * It is kept until a minute before its end, and asked for once however many need it.
   * Throws SignedOut; Error when it can't be had.
   */
  get(): Promise<string>;
  /** Asks for another one next time: it was refused. */
  forget(): void;
};

/** `ends`: in Unix seconds. */
type Issued = { text: string; ends: number };

const MARGIN_SECONDS = 60;

/** The sign-in's token, for all that its user may do. */
export const apiToken = kept(async () => {
  const { token } = await asked<{ token: string }>("/api/auth/token");
  return { text: token, ends: expiry(token) };
});

/** The secret of a chat session, for the chat and nothing else. */
export const chatSecret = kept(async () => {
  const session = await asked<{ client_secret: string; expires_at: number }>("/api/chat-session", {
    method: "POST",
  });
  return { text: session.client_secret, ends: session.expires_at };
});

function kept(ask: () => Promise<Issued>): Credential {
  let last: Issued | undefined;
  let asking: Promise<Issued> | undefined;
  return {
    async get() {
      if (last && Date.now() < (last.ends - MARGIN_SECONDS) * 1000) return last.text;
      asking ??= ask().finally(() => {
        asking = undefined;
      });
      last = await asking;
      return last.text;
    },
    forget() {
      last = undefined;
    },
  };
}

async function asked<Answer>(path: string, init?: RequestInit): Promise<Answer> {
  const answer = await fetch(path, { ...init, cache: "no-store" });
  if (answer.status === 401) throw new SignedOut("Nobody is signed in.");
  if (!answer.ok) throw new Error(`The sign-in can't be reached (${answer.status}).`);
  return (await answer.json()) as Answer;
}

/** When the token ends, in Unix seconds. */
function expiry(token: string): number {
  const payload = token.split(".")[1] ?? "";
  const { exp } = JSON.parse(atob(payload.replace(/-/g, "+").replace(/_/g, "/"))) as {
    exp: number;
  };
  return exp;
}
