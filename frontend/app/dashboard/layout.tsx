import Link from "next/link";
import type { ReactNode } from "react";
import { Logo } from "@/components/logo";
import { Nav } from "@/components/nav";
import { SessionGuard } from "@/components/session-guard";
import { ThemeMenu } from "@/components/theme-menu";
import { UserMenu } from "@/components/user-menu";
import { currentUser } from "@/lib/auth";
import { HOME } from "@/lib/next-path";

export default async function DashboardLayout({ children }: { children: ReactNode }) {
  const { id, name, email } = await currentUser();
  return (
    <SessionGuard userId={id}>
      <div className="grid h-svh grid-rows-[auto_minmax(0,1fr)] print:block print:h-auto">
        <header className="flex h-14 items-center gap-2 border-b px-3 sm:gap-4 sm:px-4 print:hidden">
          <Link
            href={HOME}
            aria-label="chatbridge"
            className="flex items-center gap-2.5 rounded-md outline-none focus-visible:ring-2 focus-visible:ring-ring"
          >
            <Logo />
            <span className="hidden font-semibold tracking-tight sm:block">chatbridge</span>
          </Link>
          <Nav />
          <span className="ml-auto flex items-center gap-1">
            <ThemeMenu />
            <UserMenu name={name} email={email} />
          </span>
        </header>
        {children}
      </div>
    </SessionGuard>
  );
}
