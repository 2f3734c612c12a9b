"use client";

import { useSyncExternalStore } from "react";
import { HOME } from "@/lib/next-path";

const ID = /^[A-Za-z0-9_-]{1,128}$/;

let last: string | null = null;
const listeners = new Set<() => void>();

/** The conversation that the address names, if it can be one. */
export function conversationIn(address: { get(name: string): string | null }): string | null {
  const id = address.get("c");
  return id && ID.test(id) ? id : null;
}

/** The chat's address with this conversation open, or with none. */
export function chatPath(conversation: string | null): string {
  return conversation ? `${HOME}?c=${conversation}` : HOME;
}

/** Remembers where the chat is, for the way back from other pages. */
export function rememberConversation(conversation: string | null): void {
  last = conversation;
  for (const tell of listeners) tell();
}

/** The conversation in which the chat was last. */
export function useLastConversation(): string | null {
  return useSyncExternalStore(
    subscribe,
    () => last,
    () => null,
  );
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
