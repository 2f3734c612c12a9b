/** What stands in the composer: the draft of the thread that is written for, until it is sent and heard. */

import type { Composer } from "./composer";
import type { Held } from "./extras";
import { Drafts } from "./drafts";
import { textOf } from "./odd";
import type { Session } from "./session";

export class Writing {
  readonly #drafts = new Drafts();
  /** It was written in the composer, and is on its way. */
  #sent: string | null = null;
  /** What is on its way with it. */
  #away: Held | null = null;
  /** What threads that are not open have for their next message beside its text. */
  #held = new Map<string | null, Held>();
  /** What went out with messages of which nothing was heard before another thread was opened. */
  #unheard = new Map<string, Held>();
  #thread: string | null = null;

  constructor(
    private readonly session: () => Session,
    private readonly composer: () => Composer,
  ) {}

  /** The person has written. */
  wrote(text: string): void {
    this.#drafts.keep(this.session().writesFor, text);
  }

  /** The page has. */
  put(text: string): void {
    this.composer().value = text;
    this.wrote(text);
  }

  /** Another thread is written for. */
  moved(): void {
    const { over, writesFor } = this.session();
    const composer = this.composer();
    const held = composer.take();
    if (this.#away && this.#thread) this.#unheard.set(this.#thread, this.#away);
    this.#sent = this.#away = null;
    this.#held.set(this.#thread, held);
    if (over) this.#drop();
    this.#thread = writesFor;
    composer.value = over ? "" : this.#drafts.of(writesFor);
    composer.put(this.#held.get(writesFor) ?? null);
    this.#held.delete(writesFor);
  }

  /** The new thread has its id: what was begun meanwhile is for it. */
  named(thread: string): void {
    this.#drafts.keep(null, "");
    this.#drafts.keep(thread, this.composer().value);
    this.#thread = thread;
  }

  sending(text: string, own: boolean): void {
    const composer = this.composer();
    if (composer.value.trim() !== text.trim()) return;
    if (own) this.#away = composer.take();
    this.#sent = text;
    this.#drafts.sending(this.session().writesFor);
    composer.value = "";
  }

  taken(): void {
    this.#sent = this.#away = null;
    this.#drafts.taken(this.session().threadId);
  }

  /** The person gets it back, before what they have begun meanwhile. */
  refused(text: string, thread: string | null): void {
    const begun = this.composer().value;
    const draft = begun && this.#sent === text ? `${text}\n\n${begun}` : begun || text;
    this.#sent = null;
    this.#drafts.keep(thread, draft);
    this.composer().value = draft;
    if (this.#away) this.composer().put(this.#away);
    this.#away = null;
  }

  /** Whose it is has become known. */
  met(user: string): void {
    if (this.#drafts.belong(user)) this.#drop();
    // what is being written, or on its way, is newer
    if (!this.composer().value && !this.session().busy) this.moved();
  }

  /** The thread has been read: what was on its way to it has arrived, or has not. */
  settled(): void {
    const { threadId, state } = this.session();
    const said = [...state.items.values()].findLast((item) => item.type === "user_message");
    if (!threadId) return;
    const isBack = this.#drafts.settled(threadId, said ? textOf(said) : null);
    if (!this.composer().value) this.moved();
    const away = this.#unheard.get(threadId);
    this.#unheard.delete(threadId);
    if (away && isBack) this.composer().put(away);
  }

  forget(): void {
    this.#drafts.forget();
    this.#drop();
  }

  /** Nothing is held for any message. */
  #drop(): void {
    this.composer().take();
    this.#held.clear();
    this.#unheard.clear();
  }
}
