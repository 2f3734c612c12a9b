"use client";

import { useCallback, useEffect, useMemo, useState } from "react";
import { apiFetch } from "@/lib/api-fetch";
import { apiToken } from "@/lib/credentials";

/** A task as chatbridge keeps it; `number` is the user's own count. */
export type Task = { number: number; title: string; done: boolean; updated_at: string };

/** `tasks` stay when a later look fails: they are the last that is known. */
export type Tasks = { tasks: Task[] | null; failed: boolean; refresh: () => void };

const CHANNEL = "chatbridge:tasks";
const EVERY_MS = 15_000;

/**
 * The user's tasks, looked up again when some tab says that they may have changed, and now and then.
 * `refused`: what is done when the session has ended.
 */
export function useTasks(userId: string, refused: () => void): Tasks {
  const [tasks, setTasks] = useState<Task[] | null>(null);
  const [failed, setFailed] = useState(false);
  // who else may be signed in is said where somebody looks or sends
  const fetchAsUser = useMemo(
    () => apiFetch({ userId, credential: apiToken, signedOut: refused, another: () => {} }),
    [userId, refused],
  );

  const refresh = useCallback(() => {
    tasksOf(fetchAsUser, userId).then(
      (found) => {
        setTasks(found);
        setFailed(false);
      },
      () => setFailed(true),
    );
  }, [fetchAsUser, userId]);

  useEffect(() => {
    refresh();
    const channel = new BroadcastChannel(CHANNEL);
    channel.onmessage = refresh;
    window.addEventListener("focus", refresh);
    const timer = setInterval(() => {
      if (document.visibilityState === "visible") refresh();
    }, EVERY_MS);
    return () => {
      channel.close();
      clearInterval(timer);
      window.removeEventListener("focus", refresh);
    };
  }, [refresh]);

  return { tasks, failed, refresh };
}

/** Tells every list of tasks, of this tab and the others, to look again. */
export function tasksMayHaveChanged(): void {
  const channel = new BroadcastChannel(CHANNEL);
  channel.postMessage(null);
  channel.close();
}

/** All of the user's tasks. Throws when they can't be read. */
export async function tasksOf(fetchAsUser: typeof fetch, userId: string): Promise<Task[]> {
  const answer = await fetchAsUser(`/api/chatbridge/api/${encodeURIComponent(userId)}/tasks`);
  if (!answer.ok) throw new Error(`The tasks can't be read (${answer.status}).`);
  const { items } = (await answer.json()) as { items: Task[] };
  return items;
}
