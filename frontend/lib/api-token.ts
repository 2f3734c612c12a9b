"use client";

/** Nobody is signed in (any more). */
export class SignedOut extends Error {}

const MARGIN_SECONDS = 60;

let kept: { token: string; until: number } | undefined;
let asking: Promise<string> | undefined;

/**
 * The token for chatbridge: kept until a minute before its end, and asked for once however many
 * need it. Throws SignedOut; Error when the sign-in can't be reached.
 */
export async function apiToken(): Promise<string> {
  if (kept && Date.now() < kept.until) return kept.token;
  asking ??= ask().finally(() => {
    asking = undefined;
  });
  return asking;
}

/** Forgets the token: it was refused, or the user has gone. */
export function forgetToken(): void {
  kept = undefined;
}

async function ask(): Promise<string> {
  const answer = await fetch("/api/auth/token", { cache: "no-store" });
  if (answer.status === 401) throw new SignedOut("Nobody is signed in.");
  if (!answer.ok) throw new Error("The sign-in can't be reached.");
  const { token } = (await answer.json()) as { token: string };
  kept = { token, until: (expiry(token) - MARGIN_SECONDS) * 1000 };
  return token;
}

/** When the token ends, in Unix seconds. */
function expiry(token: string): number {
  const payload = token.split(".")[1] ?? "";
  const { exp } = JSON.parse(atob(payload.replace(/-/g, "+").replace(/_/g, "/"))) as {
    exp: number;
  };
  return exp;
}
