"use client";

import { UserRound } from "lucide-react";
import { useEffect, useState, type ReactNode } from "react";
import { Button } from "@/components/ui/button";
import { HOME } from "@/lib/next-path";
import { watchSession } from "@/lib/session-watch";

/** The pages of one user; when somebody else has signed in, that instead of them. */
export function SessionGuard({ userId, children }: { userId: string; children: ReactNode }) {
  const [another, setAnother] = useState(false);
  useEffect(() => watchSession(userId, () => setAnother(true)), [userId]);
  if (!another) return children;
  return (
    <main className="grid min-h-svh place-content-center justify-items-center gap-4 p-6 text-center">
      <UserRound className="size-6 text-muted-foreground" aria-hidden="true" />
      <h1 className="text-lg font-semibold">Somebody else has signed in</h1>
      <p role="alert" className="max-w-sm text-sm text-muted-foreground">
        This page was another account&rsquo;s, and sends nothing any more. What had been written in
        it is there again when that account signs in in this tab.
      </p>
      <Button onClick={() => window.location.assign(HOME)}>Go on as who is signed in</Button>
    </main>
  );
}
