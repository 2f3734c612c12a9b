"use client";

import type { UseChatKitOptions } from "@openai/chatkit-react";
import { useEffect, useState } from "react";
import { apiFetch } from "@/lib/api-fetch";
import type { Credential } from "@/lib/credentials";

type Menus = Pick<NonNullable<UseChatKitOptions["composer"]>, "models" | "tools" | "dictation">;

// whoever is not signed in any more is told when something is sent
const stay = () => {};

/** The models and tools that a message may choose, and dictation; none as long as chatbridge has not said it. */
export function useMenus(userId: string, credential: Credential): Menus {
  const [menus, setMenus] = useState<Menus>({});
  useEffect(() => {
    const fetchAsUser = apiFetch({ userId, credential, signedOut: stay, another: stay });
    fetchAsUser("/api/chatbridge/chatkit/menus")
      .then((answer) => (answer.ok ? (answer.json() as Promise<Menus>) : {}))
      .then(setMenus, stay);
  }, [userId, credential]);
  return menus;
}
