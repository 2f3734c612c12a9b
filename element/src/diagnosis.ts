/** Why a request got no answer: the network, the server's rules for other origins, or the page itself. */

import { HostFault, Refusal, unreachable } from "./refusal";

/** What a browser says of a mistake in a program; it has the same class as a network that is away. */
const MISTAKE =
  /\bis not\b|undefined|\bof null\b|URL|construct|execute|convert|serialize|circular/i;

/** So many addresses are kept that the page's policy has barred. */
const MOST_BARRED = 100;
const barred = new Set<string>();

document.addEventListener("securitypolicyviolation", (event) => {
  const { disposition, effectiveDirective, blockedURI } = event;
  if (disposition !== "enforce" || effectiveDirective !== "connect-src") return;
  if (barred.size < MOST_BARRED) barred.add(blockedURI);
});

/** Why no browser lets this page ask there at all; null: it does, for all that is known. */
async function keptBack({ protocol, hostname, href, hash }: URL): Promise<string | null> {
  const bare = /^localhost$|\.localhost$|^127\.|^\[::1\]$/.test(hostname);
  if (location.protocol === "https:" && protocol === "http:" && !bare)
    return "a page by https may ask by https only (mixed content)";
  // the browser tells of it after it has refused
  await new Promise((told) => setTimeout(told));
  const reported = href.slice(0, href.length - hash.length);
  return barred.has(reported) ? "the page's content security policy bars it (connect-src)" : null;
}

/**
 * What is to be said of a request that the browser, or the page's own `fetch`, did not get through. `strange`: at
 * this address nothing has answered yet.
 */
export async function whyNot(url: string, error: unknown, strange: boolean): Promise<Refusal> {
  if (error instanceof Refusal) return error;
  if (!(error instanceof TypeError) || MISTAKE.test(error.message)) return fault(error);
  const address = new URL(url, document.baseURI);
  const { origin, href } = address;
  const why = await keptBack(address);
  if (why) return new HostFault(`${href} is not asked: ${why}.`, 0, error);
  if (origin === location.origin || !strange || !navigator.onLine) return unreachable();
  // the browser tells no page why, but lets it ask what it may read, and what not
  const answers = (mode: RequestMode) =>
    fetch(href, { mode, credentials: "omit" }).then(
      () => true,
      () => false,
    );
  if ((await answers("cors")) || !(await answers("no-cors"))) return unreachable();
  const words = `${href} is there, but lets no page of ${location.origin} in`;
  return new HostFault(`${words} (at a chatbridge: CHATBRIDGE_CORS_ORIGINS).`, 0, error);
}

/** Whoever has not even begun to answer for so many milliseconds. */
export function silentFor(url: string, ms: number): HostFault {
  const { href } = new URL(url, document.baseURI);
  return new HostFault(`${href} has not answered for ${ms / 1_000} s.`);
}

/** Throws HostFault where the page's own `fetch` gives something else. */
export function requireResponse(given: unknown): asserts given is Response {
  if (given instanceof Response) return;
  throw new HostFault(`The page could not send this: its fetch gave ${typeof given}.`);
}

function fault(error: unknown): HostFault {
  const words = error instanceof Error ? error.message || error.name : String(error);
  return new HostFault(`The page could not send this: ${words}`, 0, error);
}
