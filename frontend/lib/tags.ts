"use client";

import type { Entity } from "@openai/chatkit";
import type { UseChatKitOptions } from "@openai/chatkit-react";
import { tasksOf } from "@/lib/tasks";

/** The tasks as what a message can name with @; `show` leads to one by its number. */
export function taskTags(
  userId: string,
  fetchAsUser: typeof fetch,
  show: (number: string) => void,
): NonNullable<UseChatKitOptions["entities"]> {
  async function found(query: string): Promise<Entity[]> {
    const path = `/api/chatbridge/api/${encodeURIComponent(userId)}/tags`;
    const answer = await fetchAsUser(`${path}?${new URLSearchParams({ q: query.slice(0, 200) })}`);
    if (!answer.ok) throw new Error(`The tasks can't be searched (${answer.status}).`);
    const { items } = (await answer.json()) as { items: Entity[] };
    return items;
  }

  return {
    onTagSearch: found,
    showComposerMenu: true,
    onClick: ({ data }) => {
      if (data?.number) show(data.number);
    },
    // a message names it as it was then
    onRequestPreview: async ({ title, data }) => {
      // what a search of the server's own has found is no task
      if (!data?.number) return { preview: null };
      const tasks = await tasksOf(fetchAsUser, userId);
      const now = tasks.find(({ number }) => String(number) === data.number);
      const state = now
        ? `Task ${now.number}, ${now.done ? "done" : "open"}`
        : "Not there any more";
      return {
        preview: {
          type: "Basic",
          children: [
            { type: "Text", value: now?.title ?? title, weight: "semibold", maxLines: 3 },
            { type: "Caption", value: state },
          ],
        },
      };
    },
  };
}

/** Where a task stands in a list. */
export const taskAnchor = (number: number | string): string => `task-${number}`;

/** Shows the task where it stands on this page; false: it is not to be seen here. */
export function showTask(anchor: string): boolean {
  const line = document.getElementById(anchor);
  if (!line?.checkVisibility()) return false;
  line.scrollIntoView({ block: "center" });
  line.focus({ preventScroll: true });
  return true;
}
