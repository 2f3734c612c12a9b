/** The tags of drafts, kept in this tab as drafts are: a reload loses none. */

import type { Entity } from "@openai/chatkit";

// pages that sign people out take away whatever begins as drafts do
const KEY = "chatbridge.draft.tags";

export function remember(user: string, tags: readonly Entity[]): void {
  try {
    if (user && tags.length) sessionStorage.setItem(KEY, JSON.stringify({ user, tags }));
    else sessionStorage.removeItem(KEY);
  } catch {
    // not kept
  }
}

/** Those of this user. */
export function recall(user: string): unknown[] {
  try {
    const kept = Object(JSON.parse(sessionStorage.getItem(KEY) ?? "null")) as Record<
      string,
      unknown
    >;
    return kept.user === user && Array.isArray(kept.tags) ? kept.tags : [];
  } catch {
    return [];
  }
}
