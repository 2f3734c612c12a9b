/** What nobody in particular may ask of the sign-in: how often an account is tried, how long a field is. */

import { APIError, createAuthMiddleware } from "better-auth/api";

const TRIES = 10;
const WINDOW = 60_000;
const MOST_ACCOUNTS = 10_000;
const LONGEST = { name: 100, email: 254, password: 128, image: 2_000 };

/**
 * Runs before each request: no header of the caller's changes what it counts.
 *
 * @param {{ tries: boolean, now?: () => number }} options
 */
export function signInLimits({ tries, now = Date.now }) {
  const count = counter(now);
  return createAuthMiddleware(async ({ path, body }) => {
    for (const [name, longest] of Object.entries(LONGEST)) {
      const said = body?.[name];
      if (typeof said === "string" && said.length > longest) {
        throw new APIError("BAD_REQUEST", { message: `The ${name} is too long.` });
      }
    }
    const email = body?.email;
    if (tries && path === "/sign-in/email" && typeof email === "string" && !count(email)) {
      throw new APIError("TOO_MANY_REQUESTS", {
        message: "Too many tries for this account. Wait a minute.",
      });
    }
  });
}

/**
 * Whether an account may be tried once more; each try counts.
 *
 * @param {() => number} now in milliseconds
 */
function counter(now) {
  /** @type {Map<string, { tries: number, since: number }>} */
  const accounts = new Map();
  return (/** @type {string} */ email) => {
    const [key, time] = [email.trim().toLowerCase(), now()];
    const known = accounts.get(key);
    if (known && time - known.since < WINDOW) return ++known.tries <= TRIES;
    accounts.delete(key);
    accounts.set(key, { tries: 1, since: time });
    // the oldest is forgotten first: a Map keeps the order in which it was written
    if (accounts.size > MOST_ACCOUNTS) accounts.delete(accounts.keys().next().value ?? "");
    return true;
  };
}
