/** What happens around the chat: its tab is looked at again, another tab has spoken, somebody signs out. */

/** Tabs of an origin hear of each other here: a text, or the thread in which something was said. */
const CHANNEL = "chatbridge";
const SIGNED_OUT = "signed-out";
/** The same for a tab that was not there to hear it. */
const STAMP = "chatbridge.signed-out";

interface Around {
  /** The person may see what is shown. */
  looked(): void;
  spoken(thread: string): void;
  signedOut(): void;
  printing(): void;
}

export class Presence {
  #channel: BroadcastChannel | null = null;
  #listening = new AbortController();
  #stamp: string | null = null;

  constructor(private readonly around: Around) {}

  begin(): void {
    this.#listening = new AbortController();
    const { signal } = this.#listening;
    this.#stamp = stamp();
    this.#channel = channel();
    this.#channel?.addEventListener("message", ({ data }) => {
      if (data === SIGNED_OUT) this.around.signedOut();
      else if (typeof data?.thread === "string") this.around.spoken(data.thread);
    });
    addEventListener("storage", () => this.#checkStamp(), { signal });
    const look = () => {
      if (!document.hidden && !this.#checkStamp()) this.around.looked();
    };
    for (const name of ["focus", "online", "pageshow"]) addEventListener(name, look, { signal });
    document.addEventListener("visibilitychange", look, { signal });
    addEventListener("beforeprint", () => this.around.printing(), { signal });
  }

  end(): void {
    this.#listening.abort();
    this.#channel?.close();
  }

  /** Tells the other tabs. */
  spoken(thread: string): void {
    this.#channel?.postMessage({ thread });
  }

  /** Whether somebody has signed out since. */
  #checkStamp(): boolean {
    const out = stamp() !== this.#stamp;
    if (out) this.around.signedOut();
    return out;
  }
}

function channel(): BroadcastChannel | null {
  try {
    return new BroadcastChannel(CHANNEL);
  } catch {
    return null;
  }
}

function stamp(): string | null {
  try {
    return localStorage.getItem(STAMP);
  } catch {
    return null;
  }
}
