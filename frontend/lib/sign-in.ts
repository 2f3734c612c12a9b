"use client";

import { authClient } from "@/lib/auth-client";

/** Why it was refused, in words; `field` is the one that can mend it. */
export type Refusal = { message: string; field?: "name" | "email" | "password" };

type Credentials = { email: string; password: string };
type Failure = { code?: string; status?: number; message?: string };

const BY_CODE: Record<string, Refusal> = {
  INVALID_EMAIL_OR_PASSWORD: { message: "The email or the password is wrong." },
  INVALID_EMAIL: { field: "email", message: "This is not an email address." },
  USER_ALREADY_EXISTS: { field: "email", message: "There is an account with this email already." },
  USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL: {
    field: "email",
    message: "There is an account with this email already.",
  },
  PASSWORD_TOO_SHORT: { field: "password", message: "Use 8 characters or more." },
  PASSWORD_TOO_LONG: { field: "password", message: "Use 128 characters or fewer." },
  INVALID_ORIGIN: {
    message:
      "This app signs in at its own address only. Open it at the one that BETTER_AUTH_URL names.",
  },
};

/** Signs in. Returns nothing when it worked. */
export async function signIn(credentials: Credentials): Promise<Refusal | undefined> {
  return missing(credentials) ?? refused(() => authClient.signIn.email(credentials));
}

/** Makes an account and signs in. Returns nothing when it worked. */
export async function signUp(
  account: Credentials & { name: string },
): Promise<Refusal | undefined> {
  return missing(account) ?? refused(() => authClient.signUp.email(account));
}

function missing(given: Credentials & { name?: string }): Refusal | undefined {
  if (given.name?.trim() === "") return { field: "name", message: "Enter your name." };
  if (!/^\S+@\S+\.\S+$/.test(given.email.trim())) {
    return { field: "email", message: "This is not an email address." };
  }
  if (given.password === "") return { field: "password", message: "Enter your password." };
  return undefined;
}

async function refused(
  ask: () => Promise<{ error: Failure | null }>,
): Promise<Refusal | undefined> {
  try {
    const { error } = await ask();
    return error ? inWords(error) : undefined;
  } catch {
    return inWords({});
  }
}

function inWords({ code, status = 0, message }: Failure): Refusal {
  if (status === 429) return { message: "Too many tries. Wait a minute and try again." };
  const known = code ? BY_CODE[code] : undefined;
  if (known) return known;
  // it was reached, and has refused in words of its own
  if (message && status >= 400 && status < 500) return { message };
  return { message: "The sign-in can't be reached. Try again in a moment." };
}
