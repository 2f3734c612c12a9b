import "server-only";

import { auth } from "@/lib/auth";

/** Ends the process, saying why, if the sign-in is not configured. */
export function requireSignIn(): void {
  try {
    auth();
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    // thrown on, it would only be logged
    process.exit(1);
  }
}
