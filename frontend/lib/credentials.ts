"use client";

/** Nobody is signed in (any more). */
export class SignedOut extends Error {}

/** Somebody else is signed in than the page is of. */
export class AnotherUser extends Error {}

/** What opens chatbridge to the user who is signed in. */
export type Credential = {
  /**
   * It is kept until a minute before its end, and asked for once however many need it.
   * Throws SignedOut, and AnotherUser if it is not this user's; Error when it can't be had.
   */
  get(userId: string): Promise<string>;
  /** Asks for another one next time: it was refused. */
  forget(): void;
};

/** A JWT, and when it ends, in Unix seconds. */
type Issued = { text: string; ends: number };

const MARGIN_SECONDS = 60;

/** The sign-in's token, for all that its user may do. */
export const apiToken = kept(async () => {
  const { token } = await asked<{ token: string }>("/api/auth/token");
  return { text: token, ends: claims(token).exp };
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
    async get(userId) {
      if (!last || Date.now() >= (last.ends - MARGIN_SECONDS) * 1000) {
        asking ??= ask().finally(() => {
          asking = undefined;
        });
        last = await asking;
      }
      if (claims(last.text).sub !== userId) throw new AnotherUser("Somebody else is signed in.");
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

/** What a token says, unverified. */
function claims(token: string): { sub: string; exp: number } {
  const payload = (token.split(".")[1] ?? "").replace(/-/g, "+").replace(/_/g, "/");
  const bytes = Uint8Array.from(atob(payload), (letter) => letter.charCodeAt(0));
  return JSON.parse(new TextDecoder().decode(bytes)) as { sub: string; exp: number };
}
