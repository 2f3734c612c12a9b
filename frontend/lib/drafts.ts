"use client";

/**
 * What a user had sent when the session ended, kept in this tab until it is back in the composer of OpenAI's
 * element. chatbridge's own keeps what was written by itself, under names that begin alike.
 */

const ALL = "chatbridge.draft";
const PREFIX = `${ALL}:`;

type Content = { type: string; text?: string };

/** Keeps the text of a request of the ChatKit protocol, if it has one. */
export function keepDraft(userId: string, body: unknown): void {
  const text = textOf(body);
  try {
    if (text) sessionStorage.setItem(PREFIX + userId, text);
  } catch {
    // the browser keeps nothing
  }
}

/** The text that was kept for this user; it is no longer kept then. */
export function takeDraft(userId: string): string | null {
  try {
    const text = sessionStorage.getItem(PREFIX + userId);
    sessionStorage.removeItem(PREFIX + userId);
    return text;
  } catch {
    return null;
  }
}

/** Forgets everybody's. */
export function forgetDrafts(): void {
  try {
    for (const key of Object.keys(sessionStorage)) {
      if (key.startsWith(ALL)) sessionStorage.removeItem(key);
    }
  } catch {
    // nothing is kept
  }
}

function textOf(body: unknown): string {
  if (typeof body !== "string") return "";
  try {
    const request = JSON.parse(body) as { params?: { input?: { content?: Content[] } } };
    const content = request.params?.input?.content ?? [];
    return content.map((part) => part.text ?? "").join("");
  } catch {
    return "";
  }
}
