/** Why something was not done, in words for the person, and what may be done about it. */

/** A refusal, with a message for the person. `status` 0: no answer came at all. */
export class Refusal extends Error {
  constructor(
    message: string,
    readonly status: number,
    readonly code: string | null = null,
    /** Milliseconds after which the server wants to be asked again. */
    readonly retryAfter: number | null = null,
  ) {
    super(message);
    this.name = "Refusal";
  }

  /** Whether the same request may succeed later. */
  get passing(): boolean {
    return [0, 408, 409, 425, 429].includes(this.status) || this.status >= 500;
  }

  /** Whether nobody may have taken the request in: no server was there, or none that serves. */
  get unheard(): boolean {
    return [0, 502, 503, 504].includes(this.status);
  }
}

/**
 * The page around the chat is at fault, or its server: what it names as the chat's address is none, or it gave
 * no access. Whoever builds it reads the same on the console.
 */
export class HostFault extends Refusal {
  constructor(message: string, status = 0, cause?: unknown) {
    super(message, status, "host_fault");
    if (cause !== undefined) this.cause = cause;
    this.name = "HostFault";
  }

  /** A person may try again; by itself nobody does. */
  override get passing(): boolean {
    return true;
  }

  override get unheard(): boolean {
    return false;
  }
}

/** The code of a refusal for which somebody was waited long enough. */
export const SILENT = "silent";
/** The code of a refusal because the chat is somebody's who is not signed in any more. */
export const ANOTHER_USER = "another_user";

/** Nobody has answered. */
export function unreachable(code: string | null = null): Refusal {
  const message = "The server can't be reached. Check the connection and try again.";
  return new Refusal(message, 0, code);
}

/** Somebody else is signed in than the chat was opened for. */
export function anotherUser(): Refusal {
  const message = "Somebody else is signed in now. Nothing was sent: reload the page to go on.";
  return new Refusal(message, 403, ANOTHER_USER);
}

/**
 * The answer, if it is none that refuses. `isChat` tells whether a chat server has refused so, by whether it spoke
 * JSON. Throws Refusal, in the server's words if it has some.
 */
export async function accepted(
  response: Response,
  isChat: (spoken: boolean) => Promise<boolean>,
): Promise<Response> {
  if (response.ok) return response;
  const { status } = response;
  if (status === 0) throw noChat(response);
  // a problem document (RFC 9457), if the server speaks so
  const problem: unknown = await response.json().catch(() => null);
  const words = wordsOf(problem);
  if (isMisled(status, problem) && !(await isChat(problem !== null)))
    throw noChat(response, "", words);
  throw new Refusal(words ?? inWords(status), status, text(problem, "code"), retryAfter(response));
}

function wordsOf(problem: unknown): string | null {
  const all = ["detail", "title", "error", "message"].map((name) => text(problem, name));
  return all.find((words) => words !== null) ?? null;
}

/** The text that is said under a name; of an error within the answer, its message. */
function text(said: unknown, name: string): string | null {
  const value: unknown = said && typeof said === "object" ? Reflect.get(said, name) : null;
  if (value && typeof value === "object") return text(value, "message");
  return typeof value === "string" && value ? value.slice(0, LONGEST) : null;
}

const LONGEST = 500;

/**
 * Another server says of the chat's path that it does not have it, does not understand it, or breaks on it: in
 * words that are no problem with a code, and no error as OpenAI writes it. A web page of a server that breaks may
 * well be a chat server's.
 */
function isMisled(status: number, problem: unknown): boolean {
  if (text(problem, "code") && (text(problem, "detail") ?? text(problem, "title"))) return false;
  const error: unknown = problem && typeof problem === "object" && Reflect.get(problem, "error");
  if (text(error, "code") && text(error, "message")) return false;
  if (problem === null) return [404, 405, 410].includes(status);
  return [400, 404, 405, 410, 422, 500, 501].includes(status);
}

/** Whatever answered, it does not speak as a chat server: what it said, and where. */
export function noChat(response: Response, what = "", words: string | null = null): HostFault {
  const { status, headers, redirected, url } = response;
  const type = headers.get("content-type")?.split(";")[0] ?? "nothing that has a type";
  const how = what || (status === 0 ? "what a page may not read" : `${status} ${type}`);
  const where = redirected
    ? `: the chat's address led to ${url}, which`
    : ` at ${url || "the chat's address"}: it`;
  const end = words ? `: ${words}` : ".";
  return new HostFault(`No chat server answers${where} said ${how}${end}`, status);
}

function retryAfter(response: Response): number | null {
  const given = response.headers.get("retry-after");
  if (!given) return null;
  const seconds = Number(given);
  const ms = Number.isNaN(seconds) ? Date.parse(given) - Date.now() : seconds * 1_000;
  return Number.isNaN(ms) ? null : Math.max(0, ms);
}

function inWords(status: number): string {
  if (status === 401) return "You are not signed in any more. Sign in and try again.";
  if (status === 403) return "This is not yours to see.";
  if (status === 404) return "This is not here any more.";
  if (status === 429) return "That was too much at once. Wait a moment and try again.";
  return status >= 500
    ? "The server has a problem. Try again in a moment."
    : `The server refused the request (${status}).`;
}
