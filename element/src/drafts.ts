/** What a person has begun to write, by thread. It is kept in this tab, so that a reload loses nothing. */

/** Pages that sign people out take away whatever begins so. */
const PREFIX = "chatbridge.draft.";

interface Draft {
  text: string;
  /** It is on its way: whether it has arrived is not known yet. */
  sent: boolean;
}

export class Drafts {
  readonly #drafts = new Map<string, Draft>();
  #place: string | null = null;
  /** Something has gone out since the page was loaded. */
  #sending = false;

  /** `thread` null: the one that is not begun yet. */
  of(thread: string | null): string {
    const draft = this.#drafts.get(thread ?? "");
    return draft && !draft.sent ? draft.text : "";
  }

  keep(thread: string | null, text: string): void {
    this.#put(thread, { text, sent: false });
  }

  /** It goes out now. */
  sending(thread: string | null): void {
    this.#sending = true;
    const draft = this.#drafts.get(thread ?? "");
    if (draft) this.#put(thread, { ...draft, sent: true });
  }

  /** What went out is there. */
  taken(thread: string | null): void {
    if (this.#drafts.get(thread ?? "")?.sent) this.#put(thread, null);
  }

  /**
   * The thread is there to be seen, `last` being what was said last: a draft that was sent is it, or is not there.
   * True: it is a draft again.
   */
  settled(thread: string, last: string | null): boolean {
    const draft = this.#drafts.get(thread);
    if (!draft?.sent) return false;
    const isBack = draft.text.trim() !== last?.trim();
    this.#put(thread, isBack ? { ...draft, sent: false } : null);
    return isBack;
  }

  /** They are this user's; those that were kept for them before are there again. True: they were another's. */
  belong(user: string): boolean {
    const place = `${PREFIX}${fingerprint(user)}.`;
    if (this.#place === place) return false;
    const anothers = this.#place !== null;
    if (anothers) this.#drafts.clear();
    this.#place = place;
    for (const [thread, draft] of this.#drafts) write(place + thread, draft);
    for (const [key, draft] of stored())
      if (key.startsWith(place)) this.#drafts.set(key.slice(place.length), draft);
    // nobody can say any more what became of a first message
    const first = this.#drafts.get("");
    if (first && !this.#sending) this.keep(null, first.text);
    return anothers;
  }

  /** Takes them all away, everybody's: somebody has signed out. */
  forget(): void {
    this.#drafts.clear();
    for (const [key] of stored()) write(key, null);
  }

  /** Whether something is kept in this tab, of whomever. */
  static get any(): boolean {
    return stored().length > 0;
  }

  #put(thread: string | null, draft: Draft | null): void {
    const kept = draft?.text ? draft : null;
    if (kept) this.#drafts.set(thread ?? "", kept);
    else this.#drafts.delete(thread ?? "");
    if (this.#place !== null) write(this.#place + (thread ?? ""), kept);
  }
}

// --- a browser may keep nothing, or no more: then a draft lives as long as its page

function write(key: string, draft: Draft | null): void {
  try {
    if (draft) sessionStorage.setItem(key, JSON.stringify(draft));
    else sessionStorage.removeItem(key);
  } catch {
    // not kept
  }
}

function stored(): [string, Draft][] {
  try {
    const keys = Object.keys(sessionStorage).filter((key) => key.startsWith(PREFIX));
    return keys.map((key) => [key, read(sessionStorage.getItem(key))]);
  } catch {
    return [];
  }
}

function read(kept: string | null): Draft {
  const draft: unknown = JSON.parse(kept ?? "null");
  const { text, sent } = Object(draft) as { text?: unknown; sent?: unknown };
  return { text: String(text ?? ""), sent: sent === true };
}

/** Two users have two; nobody's name is left in a browser. FNV-1a, twice. */
function fingerprint(user: string): string {
  const hash = (seed: number) => {
    let value = seed;
    for (let at = 0; at < user.length; at++)
      value = Math.imul(value ^ user.charCodeAt(at), 0x01000193);
    return (value >>> 0).toString(36);
  };
  return hash(0x811c9dc5) + hash(0x5bd1e995);
}
