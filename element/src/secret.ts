/** The secret of a chat session, as the page gets it from its own server, and whose it is. */

import type { ChatKitOptions } from "@openai/chatkit";
import { HostFault, anotherUser, unreachable } from "./refusal";
import { within } from "./within";

const PATIENCE_MS = 30_000;
/** A secret of this age is asked for anew when its page is looked at again. */
const AGED_MS = 60_000;

export class Secret {
  #text: string | null = null;
  #since = 0;
  #asking: Promise<string> | null = null;
  #user: string | null = null;

  /** `met` hears whose the secret is, once that can be told. */
  constructor(
    private readonly options: () => ChatKitOptions,
    private readonly met: (user: string) => void,
  ) {}

  /** Whether the page goes by secrets at all. */
  get wanted(): boolean {
    return "getClientSecret" in this.options().api;
  }

  /** The one there is, or a first one. Throws HostFault and Refusal. */
  async get(): Promise<string> {
    return this.#text ?? this.renew();
  }

  /** Another one, asked for once however many need it. Throws HostFault and Refusal. */
  renew(): Promise<string> {
    this.#asking ??= this.#renewed().finally(() => (this.#asking = null));
    return this.#asking;
  }

  /** Makes sure after a while that it is still the same person's. Throws Refusal if not. */
  async check(): Promise<void> {
    if (!this.wanted || this.#text === null || Date.now() - this.#since < AGED_MS) return;
    await this.renew();
  }

  forget(): void {
    this.#text = this.#user = null;
  }

  async #renewed(): Promise<string> {
    const text = await this.#given();
    const user = subjectOf(text);
    if (user !== null && this.#user !== null && user !== this.#user) throw anotherUser();
    if (user !== null) this.met(user);
    this.#user = user ?? this.#user;
    this.#text = text;
    this.#since = Date.now();
    return text;
  }

  async #given(): Promise<string> {
    const { api } = this.options();
    if (!("getClientSecret" in api)) throw new HostFault("The page gives no chat session.");
    let given: unknown;
    try {
      given = await within(PATIENCE_MS, Promise.resolve(api.getClientSecret(this.#text)));
    } catch (error) {
      if (!navigator.onLine) throw unreachable();
      throw new HostFault(`The page could not open a chat session: ${said(error)}`, 0, error);
    }
    if (typeof given === "string" && given) return given;
    const what = given === "" ? "an empty text" : given === null ? "null" : typeof given;
    throw new HostFault(`The page opened no chat session: getClientSecret gave ${what}.`);
  }
}

function said(error: unknown): string {
  return error instanceof Error ? error.message || error.name : String(error);
}

/** Whose token it is, if it is one (a JWT) and says so. It is the server that verifies it. */
export function subjectOf(token: string): string | null {
  try {
    const payload = token.split(".")[1]!.replace(/-/g, "+").replace(/_/g, "/");
    const bytes = Uint8Array.from(atob(payload), (letter) => letter.charCodeAt(0));
    const { sub }: { sub?: unknown } = JSON.parse(new TextDecoder().decode(bytes));
    return typeof sub === "string" ? sub : null;
  } catch {
    return null;
  }
}
