/** The bytes of a file on their way to an address, with how far they have come. */

import { Refusal } from "../refusal";
import { words } from "./words";

/** Nothing has moved for so long: the connection is lost. */
const STILL_MS = 30_000;
/** So long whoever has all of it may look at it. */
const LOOK_MS = 180_000;

export interface Address {
  url: string;
  method: string;
  headers?: Record<string, string>;
}

/**
 * Puts the file there; `moved` hears the share that is there. Throws Refusal, with status 0 where the connection
 * was lost, and whatever `signal` was aborted with.
 */
export function put(
  { url, method, headers = {} }: Address,
  file: Blob,
  moved: (share: number) => void,
  signal: AbortSignal,
): Promise<void> {
  return new Promise((resolve, reject) => {
    // only this says how far it has come
    const request = new XMLHttpRequest();
    let timer = 0;
    const within = (ms: number) => {
      clearTimeout(timer);
      timer = setTimeout(() => request.abort(), ms);
    };
    const leave = () => request.abort();
    request.upload.onprogress = ({ loaded, total }) => {
      within(loaded < total ? STILL_MS : LOOK_MS);
      moved(total ? loaded / total : 0);
    };
    request.onloadend = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", leave);
      if (signal.aborted) reject(signal.reason as Error);
      else if (taken(request.status)) resolve();
      else reject(refused(request));
    };
    signal.addEventListener("abort", leave);
    request.open(method, url);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    within(STILL_MS);
    request.send(file);
  });
}

/** A bucket that has it already (412) refuses it a second time. */
function taken(status: number): boolean {
  return (status >= 200 && status < 300) || status === 412;
}

function refused({ status, responseText }: XMLHttpRequest): Refusal {
  const problem: unknown = parsed(responseText);
  const said: unknown = problem && typeof problem === "object" && Reflect.get(problem, "detail");
  const message = status ? `The server refused it (${status}).` : words.broken;
  return new Refusal(typeof said === "string" ? said : message, status);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
