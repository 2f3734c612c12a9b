"use client";

/** What a user had sent when the session ended, kept in this tab until it is back in the composer. */

const PREFIX = "chatbridge:draft:";

type Content = { type: string; text?: string };

/** Keeps the text of a request of the ChatKit protocol, if it has one. */
export function keepDraft(userId: string, body: unknown): void {
  const text = textOf(body);
  if (text) sessionStorage.setItem(PREFIX + userId, text);
}

/** The text that was kept for this user; it is no longer kept then. */
export function takeDraft(userId: string): string | null {
  const text = sessionStorage.getItem(PREFIX + userId);
  sessionStorage.removeItem(PREFIX + userId);
  return text;
}

/** Forgets everybody's. */
export function forgetDrafts(): void {
  for (const key of Object.keys(sessionStorage)) {
    if (key.startsWith(PREFIX)) sessionStorage.removeItem(key);
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
