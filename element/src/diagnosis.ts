/** Why a request got no answer: the network, the server's rules for other origins, or the page itself. */

import { HostFault, Refusal, unreachable } from "./refusal";

/** What a browser says of a mistake in a program; it has the same class as a network that is away. */
const MISTAKE = /\bis not\b|undefined|\bof null\b|parse URL/;

/**
 * What is to be said of a request that the browser, or the page's own `fetch`, did not get through. `strange`: at
 * this address nothing has answered yet.
 */
export async function whyNot(url: string, error: unknown, strange: boolean): Promise<Refusal> {
  if (error instanceof Refusal) return error;
  if (!(error instanceof TypeError) || MISTAKE.test(error.message)) return fault(error);
  const { origin, href } = new URL(url, document.baseURI);
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
