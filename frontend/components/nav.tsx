"use client";

import { ListTodo, MessageSquare, type LucideIcon } from "lucide-react";
import Link from "next/link";
import { usePathname } from "next/navigation";
import { cn } from "@/lib/cn";
import { chatPath, useLastConversation } from "@/lib/conversation";
import { HOME } from "@/lib/next-path";

/** The app's two places. */
export function Nav() {
  const last = useLastConversation();
  return (
    <nav aria-label="Main" className="flex items-center gap-1">
      <Place href={chatPath(last)} path={HOME} icon={MessageSquare}>
        Chat
      </Place>
      <Place href="/dashboard" path="/dashboard" icon={ListTodo}>
        Tasks
      </Place>
    </nav>
  );
}

function Place({
  href,
  path,
  icon: Icon,
  children,
}: {
  href: string;
  path: string;
  icon: LucideIcon;
  children: string;
}) {
  const here = usePathname() === path;
  return (
    <Link
      href={href}
      aria-current={here ? "page" : undefined}
      className={cn(
        "flex h-9 items-center gap-2 rounded-md px-2.5 text-sm font-medium text-muted-foreground transition-colors outline-none hover:bg-accent hover:text-foreground focus-visible:ring-2 focus-visible:ring-ring sm:px-3",
        here && "bg-accent text-foreground",
      )}
    >
      <Icon className="hidden size-4 min-[380px]:block" aria-hidden="true" />
      {children}
    </Link>
  );
}
