import type { Metadata } from "next";
import { redirect } from "next/navigation";
import { Logo } from "@/components/logo";
import { ThemeMenu } from "@/components/theme-menu";
import { currentSession } from "@/lib/auth";
import { nextPath } from "@/lib/next-path";
import { LoginForm } from "./login-form";

export const metadata: Metadata = { title: "Sign in" };

type Search = { next?: string | string[]; expired?: string | string[] };

export default async function LoginPage({ searchParams }: { searchParams: Promise<Search> }) {
  const { next, expired } = await searchParams;
  const then = nextPath([next].flat()[0]);
  // while the database is away the form can still say so
  if (await currentSession().catch(() => null)) redirect(then);
  return (
    <main className="grid min-h-svh grid-rows-[auto_1fr] p-4 sm:p-6">
      <div className="flex items-center gap-2.5">
        <Logo />
        <span className="font-semibold tracking-tight">chatbridge</span>
        <span className="ml-auto">
          <ThemeMenu />
        </span>
      </div>
      <div className="mx-auto flex w-full max-w-sm flex-col justify-center pt-6 pb-16">
        <LoginForm next={then} expired={expired !== undefined} />
      </div>
    </main>
  );
}
