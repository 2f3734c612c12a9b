"use client";

import { LogOut } from "lucide-react";
import { useState } from "react";
import { Button } from "@/components/ui/button";
import {
  DropdownMenu,
  DropdownMenuContent,
  DropdownMenuItem,
  DropdownMenuLabel,
  DropdownMenuSeparator,
  DropdownMenuTrigger,
} from "@/components/ui/dropdown-menu";
import { authClient } from "@/lib/auth-client";
import { leaveAllTabs } from "@/lib/session-watch";

/** Who is signed in, and the way out. */
export function UserMenu({ name, email }: { name: string; email: string }) {
  const [failed, setFailed] = useState(false);

  async function signOut() {
    setFailed(false);
    const { error } = await authClient.signOut().catch(() => ({ error: true }));
    if (error) return setFailed(true);
    leaveAllTabs();
  }

  return (
    <DropdownMenu>
      <DropdownMenuTrigger asChild>
        <Button variant="ghost" size="icon" aria-label="Account" className="rounded-full">
          <span
            aria-hidden="true"
            className="grid size-7 place-items-center rounded-full border bg-secondary text-xs font-semibold text-secondary-foreground uppercase"
          >
            {initial(name || email)}
          </span>
        </Button>
      </DropdownMenuTrigger>
      <DropdownMenuContent align="end" className="max-w-72 min-w-52">
        <DropdownMenuLabel>
          <p className="truncate font-medium">{name}</p>
          <p className="truncate text-muted-foreground">{email}</p>
        </DropdownMenuLabel>
        <DropdownMenuSeparator />
        <DropdownMenuItem
          onSelect={(event) => {
            // it stays open, to say so if that fails
            event.preventDefault();
            void signOut();
          }}
        >
          <LogOut /> Sign out
        </DropdownMenuItem>
        {failed && (
          <p role="alert" className="px-2 py-1.5 text-sm text-destructive">
            That did not work. Try again.
          </p>
        )}
      </DropdownMenuContent>
    </DropdownMenu>
  );
}

function initial(name: string): string {
  return [...name.trim()][0] ?? "";
}
