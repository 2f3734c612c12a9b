"use client";

/** Who is signed in in this browser, heard in all of its tabs. */

import { apiToken, chatSecret } from "@/lib/credentials";
import { forgetDrafts } from "@/lib/drafts";

/** The element of the chat listens here, too. */
const CHANNEL = "chatbridge";
const SIGNED_OUT = "signed-out";
/** The same for a tab that could not hear it: one that was asleep, or comes back from the browser's history. */
const STAMP = "chatbridge.signed-out";

type Told = typeof SIGNED_OUT | { signedIn?: string };

let noticed: (() => void) | undefined;

/** Somebody else is signed in than the page is of. */
export function anotherIsSignedIn(): void {
  noticed?.();
}

/** Tells every tab that nobody is signed in any more, and leaves this one. */
export function leaveAllTabs(): void {
  const channel = new BroadcastChannel(CHANNEL);
  channel.postMessage(SIGNED_OUT satisfies Told);
  channel.close();
  stamp(String(Date.now()));
  leave();
}

/** Watches until the returned function is called. `another` is told once it is not this user any more. */
export function watchSession(userId: string, another: () => void): () => void {
  noticed = another;
  const since = stamp();
  const over = new AbortController();
  const channel = new BroadcastChannel(CHANNEL);
  channel.onmessage = ({ data }: MessageEvent<Told>) => {
    if (data === SIGNED_OUT) leave();
    else if (data?.signedIn && data.signedIn !== userId) another();
  };
  channel.postMessage({ signedIn: userId } satisfies Told);
  const { signal } = over;
  const left = () => stamp() !== since && (leave(), true);
  const look = () => {
    if (document.visibilityState !== "visible" || left()) return;
    void signedIn(signal).then((id) => id && id !== userId && another());
  };
  window.addEventListener("storage", left, { signal });
  window.addEventListener("focus", look, { signal });
  window.addEventListener("pageshow", ({ persisted }) => persisted && look(), { signal });
  document.addEventListener("visibilitychange", look, { signal });
  return () => {
    noticed = undefined;
    over.abort();
    channel.close();
  };
}

/** Whom the browser's cookie signs in; null if nobody, or if that can't be found out now. */
async function signedIn(signal: AbortSignal): Promise<string | null> {
  try {
    const answer = await fetch("/api/auth/get-session", { signal, cache: "no-store" });
    const session = (await answer.json()) as { user?: { id?: string } } | null;
    return session?.user?.id ?? null;
  } catch {
    return null;
  }
}

function leave(): void {
  apiToken.forget();
  chatSecret.forget();
  forgetDrafts();
  window.location.assign("/login");
}

/** When somebody signed out last, as all tabs can read it; sets it to `now`. */
function stamp(now?: string): string | null {
  try {
    if (now) localStorage.setItem(STAMP, now);
    return localStorage.getItem(STAMP);
  } catch {
    return null;
  }
}
