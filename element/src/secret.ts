/** The secret of a chat session, as the page gets it from its own server, and whose it is. */

import type { ChatKitOptions } from "@openai/chatkit";
import { fitsHeader, UNFIT } from "./outgoing";
import { HostFault, anotherUser, unreachable } from "./refusal";
import { within } from "./within";

/** A back end that was asleep, and one that it asks in turn, may take so long. */
const PATIENCE_MS = 15_000;
/** Whoever waits longer is told for what. */
const LATE_MS = 2_000;
/** A secret of this age is asked for anew when its page is looked at again. */
const AGED_MS = 60_000;

export class Secret {
  #text: string | null = null;
  #since = 0;
  #asking: Promise<string> | null = null;
  #user: string | null = null;
  #late = false;

  /** `met` hears whose the secret is, once that can be told; `waits`, that `late` has changed. */
  constructor(
    private readonly options: () => ChatKitOptions,
    private readonly met: (user: string) => void,
    private readonly waits: () => void,
  ) {}

  /** It is asked for, and has not come for a while. */
  get late(): boolean {
    return this.#late;
  }

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
    if (this.#asking) return this.#asking;
    const timer = setTimeout(() => this.#isLate(true), LATE_MS);
    this.#asking = this.#renewed().finally(() => {
      clearTimeout(timer);
      this.#isLate(false);
      this.#asking = null;
    });
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

  #isLate(late: boolean): void {
    if (this.#late === late) return;
    this.#late = late;
    this.waits();
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
    const what = unlike(given);
    if (typeof given === "string" && what === null) return given;
    throw new HostFault(`The page opened no chat session: getClientSecret gave ${what}.`);
  }
}

/** What is given instead of a secret; null: it may be one. */
function unlike(given: unknown): string | null {
  if (typeof given !== "string") return given === null ? "null" : typeof given;
  if (!given.trim()) return "an empty text";
  return fitsHeader(given) ? null : `a text that ${UNFIT}`;
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
