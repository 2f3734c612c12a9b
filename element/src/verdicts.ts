/** What the person has said of answers: read back after a reload, and taken back by a second click. */

import type { Api } from "./api";
import { isRecord } from "./odd";
import { again, type Way } from "./room";

export type Feedback = "positive" | "negative";

/** So many items the server takes at once. */
const MOST = 200;

export class Verdicts {
  #given = new Map<string, Feedback>();
  /** The thread was read anew, and what was said of it was not. */
  #due = true;
  /** What the person has clicked since what is kept was asked for: it is newer. */
  #clicked = new Set<string>();

  constructor(
    private readonly api: Api,
    private readonly threadId: () => string | null,
    private readonly changed: () => void,
    private readonly fail: (error: unknown, way: Way) => void,
  ) {}

  get(itemId: string): Feedback | undefined {
    return this.#given.get(itemId);
  }

  clear(): void {
    this.#given.clear();
    this.#due = true;
  }

  /** The server has read items of a thread; `whole`: with the thread. `given`: something is said of them. */
  seen(thread: string, whole: boolean, given: boolean): void {
    this.#due ||= whole;
    if (!this.#due || !(given || this.#given.size)) return;
    this.#due = false;
    void this.#read(thread);
  }

  async #read(thread: string): Promise<void> {
    this.#clicked.clear();
    // without it only the thumbs are not there
    const kept = await this.api.feedback(thread).then(verdictsIn, () => null);
    const open = this.threadId();
    if (!kept || (open && open !== thread)) return;
    for (const item of this.#clicked) {
      const own = this.#given.get(item);
      if (own) kept.set(item, own);
      else kept.delete(item);
    }
    this.#given = kept;
    this.changed();
  }

  /** Says how good an answer was; said again, it is taken back where the server can do that. */
  async rate(itemIds: string[], kind: Feedback): Promise<void> {
    const id = this.threadId();
    if (!id) return;
    const before = itemIds.map((item) => [item, this.#given.get(item)] as const);
    const back = this.api.resumes && before.at(-1)?.[1] === kind;
    this.#put(itemIds.map((item) => [item, back ? undefined : kind]));
    try {
      if (back) await this.api.feedback(id, { item_ids: itemIds.slice(-MOST), kind: null });
      else await this.api.json("items.feedback", { thread_id: id, item_ids: itemIds, kind });
    } catch (error) {
      this.#put(before);
      this.fail(
        error,
        again(() => void this.rate(itemIds, kind)),
      );
      this.changed();
    }
  }

  #put(verdicts: readonly (readonly [string, Feedback | undefined])[]): void {
    for (const [item, kind] of verdicts) {
      this.#clicked.add(item);
      if (kind) this.#given.set(item, kind);
      else this.#given.delete(item);
    }
    this.changed();
  }
}

function verdictsIn(answer: unknown): Map<string, Feedback> | null {
  if (!isRecord(answer) || !isRecord(answer.feedback)) return null;
  const good = (kind: unknown): kind is Feedback => kind === "positive" || kind === "negative";
  return new Map(
    Object.entries(answer.feedback).filter((each): each is [string, Feedback] => good(each[1])),
  );
}
