/** A request before it leaves the page: what no browser would send is the page's fault, whoever listens. */

import { HostFault } from "./refusal";

/** A request that can be sent as it is. */
export interface Outgoing {
  method: string;
  headers: Record<string, string>;
  body?: string | FormData;
}

/** Where an option leads. Throws HostFault where that is no address. */
export function addressOf(url: string): URL {
  try {
    return new URL(url, document.baseURI);
  } catch (error) {
    throw new HostFault(`The option api.url is no address: ${url}`, 0, error);
  }
}

/** Throws HostFault where a browser asks nobody at such an address. */
export function requireWeb(url: string): void {
  const { protocol, username, password, host } = addressOf(url);
  if (!/^https?:$/.test(protocol)) {
    const words = `The option api.url has to begin with http or https, and ${url} begins with`;
    throw new HostFault(`${words} ${protocol}`);
  }
  const words = `The option api.url must not hold a name or a password: no browser asks ${host} so.`;
  if (username || password) throw new HostFault(words);
}

/** What is sent: a form as it is, all else as JSON. Throws HostFault where it can't be. */
export function outgoing(method: string, headers: Record<string, string>, body: unknown): Outgoing {
  for (const [name, value] of Object.entries(headers)) {
    if (!fitsHeader(value)) throw unsendable(`its header ${name} ${UNFIT}`);
  }
  if (body === undefined) return { method, headers };
  // a browser says itself what parts a form's parts
  if (body instanceof FormData) return { method, headers, body };
  const typed = { ...headers, "Content-Type": "application/json" };
  return { method, headers: typed, body: written(body) };
}

/** A request as JSON. Throws HostFault where it can't be written so. */
export function written(body: unknown): string {
  try {
    return JSON.stringify(body);
  } catch (error) {
    throw unsendable(`it can't be written as JSON: ${String(error)}`, error);
  }
}

/** Why a text is not let into a header. */
export const UNFIT = "holds a line break or a letter that no header can hold";

/** Whether a header may have this value. */
export function fitsHeader(value: string): boolean {
  try {
    new Headers({ "X-Any": value });
    return true;
  } catch {
    return false;
  }
}

function unsendable(why: string, cause?: unknown): HostFault {
  return new HostFault(`The page could not send this: ${why}.`, 0, cause);
}
