import "server-only";

import { betterAuth } from "better-auth";
import { headers } from "next/headers";
import { redirect } from "next/navigation";
import { cache } from "react";
import { authOptions } from "@/lib/auth-options.mjs";
import { HOME } from "@/lib/next-path";

const made = () => betterAuth(authOptions(process.env));
let kept: ReturnType<typeof made> | undefined;

/** The sign-in, made when it is first asked for: a build has no database. Throws if misconfigured. */
export function auth() {
  return (kept ??= made());
}

/** The session of the request that is being answered, looked up in the database. */
export const currentSession = cache(async () =>
  auth().api.getSession({ headers: await headers() }),
);

/** The user of the request that is being answered; without a good session, the sign-in. */
export async function currentUser() {
  const session = await currentSession();
  if (session) return session.user;
  const next = (await headers()).get("x-path") ?? HOME;
  return redirect(`/login?${new URLSearchParams({ expired: "1", next })}`);
}
