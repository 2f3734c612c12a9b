"use client";

import type { UseChatKitOptions } from "@openai/chatkit-react";
import { useEffect, useState } from "react";
import { apiFetch } from "@/lib/api-fetch";
import type { Credential } from "@/lib/credentials";

type Menus = Pick<NonNullable<UseChatKitOptions["composer"]>, "models" | "tools" | "dictation">;

// whoever is not signed in any more is told when something is sent
const stay = () => {};

const AGAIN_MS = 5_000;

/**
 * The models and tools that a message may choose, and dictation; none as long as chatbridge has not said it. It is
 * asked until it answers.
 */
export function useMenus(userId: string, credential: Credential): Menus {
  const [menus, setMenus] = useState<Menus>({});
  useEffect(() => {
    const fetchAsUser = apiFetch({ userId, credential, signedOut: stay, another: stay });
    const over = new AbortController();
    let later: ReturnType<typeof setTimeout>;
    const ask = () =>
      menusBy(fetchAsUser, over.signal).then(setMenus, () => {
        if (!over.signal.aborted) later = setTimeout(ask, AGAIN_MS);
      });
    void ask();
    return () => {
      over.abort();
      clearTimeout(later);
    };
  }, [userId, credential]);
  return menus;
}

async function menusBy(fetchAsUser: typeof fetch, signal: AbortSignal): Promise<Menus> {
  const answer = await fetchAsUser("/api/chatbridge/chatkit/menus", { signal });
  if (!answer.ok) throw new Error(`The menus can't be had (${answer.status}).`);
  return (await answer.json()) as Menus;
}
