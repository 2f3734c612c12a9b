/** The seam of the composer: what it may hold beyond its text, each in a further file of its own. */

import type { Attachment, ChatKitOptions, Entity, UserMessageContent } from "@openai/chatkit";
import { h } from "./dom";
import { composing } from "./further";
import type { Offered } from "./listbox";
import type { Session } from "./session";

/** What an extra may do in the composer. */
export interface Desk {
  /** Boxes of its own: above the text; in the row of the buttons, at its start and at its end. */
  readonly above: HTMLElement;
  readonly start: HTMLElement;
  readonly end: HTMLElement;
  readonly session: Session;
  options(): ChatKitOptions;
  /** The text as it stands there. */
  readonly value: string;
  /** What is selected of it; the caret is where both are the same. */
  readonly selection: readonly [start: number, end: number];
  /** Nothing can be written: the thread is closed or locked. */
  readonly locked: boolean;
  /** Writes in place of a part of the text, as the person would: they can undo it. The caret is behind it. */
  replace(start: number, end: number, text: string): void;
  /** Writes in place of what is selected. */
  insert(text: string): void;
  focus(): void;
  /** Says something below the text; gone with the next letter. A screen reader reads it at once. */
  note(text: string): void;
  /** Has a screen reader say something that all others see. */
  announce(text: string): void;
  /** Opens a listbox above the text, or changes the one that is open; null closes it. */
  offer(list: Offered | null): void;
  /** The extra that takes what the page sets under this name; null where there is none. */
  taking(name: string): Promise<Extra | null>;
  /** All extras that are there. */
  readonly all: Iterable<Extra>;
  /** Something of the extra has changed: whether the message can be sent may depend on it. */
  changed(): void;
  /** One of the public events, by its name without `chatkit.`. */
  emit(name: string, detail?: unknown): void;
  /** Draws a widget to be looked at only. */
  paint(host: HTMLElement, widget: unknown): void;
  /** An error that the page should hear of. */
  failed(error: unknown): void;
}

/** What goes along with a message. */
export interface Brought {
  /** The text with its tags, in place of the plain one. */
  content?: UserMessageContent[];
  attachments?: Attachment[];
  quote?: string;
  tool?: string;
  model?: string;
}

/** What the page may set in the composer. */
export interface ComposerValue {
  text?: string;
  content?: UserMessageContent[];
  reply?: string;
  attachments?: Attachment[];
  files?: File[];
  /** null: none is selected any more. */
  selectedToolId?: string | null;
  selectedModelId?: string;
}

/** Something that a person can have an extra do by a command. */
export interface Doing {
  id: string;
  label: string;
  icon?: string;
  group?: string;
  act(): void;
}

export interface Extra {
  /** Options, the thread or an answer may have changed: at each draw of the composer. */
  draw?(options: ChatKitOptions): void;
  /** The text has changed, by whomever. */
  written?(): void;
  /** A key in the text, before the composer takes it; true: it was meant for the extra. */
  key?(event: KeyboardEvent): boolean;
  /** Why the message can't be sent yet, in words for the person. */
  readonly waits?: string | null;
  /** What stands in the empty text in place of the page's words. */
  readonly placeholder?: string | undefined;
  /** There is something to send even without text. */
  readonly enough?: boolean;
  /** What goes along with the message that is sent now. */
  brings?(text: string): Brought;
  /**
   * Gives away what it holds for one message, and holds it no more: the message is sent, or another thread is
   * written for. null: there is nothing.
   */
  take?(): unknown;
  /**
   * Holds again what it gave away (the text stands there already), beside what it was given since; null: there is
   * nothing to hold again.
   */
  put?(held: unknown): void;
  /** What it can do by a command. */
  readonly doings?: readonly Doing[];
  /** Writes a tag in place of a part of the text. */
  tag?(entity: Entity, start: number, end: number): void;
  /** The person has come to a tag or a source in a message (`pointerenter`, `focus`), or clicked it. */
  met?(node: HTMLElement, how: string, entity: Entity): void;
  /** The page sets what is named for this extra in SETS. Throws IntegrationError. */
  set?(value: ComposerValue): void;
}

/** What the further file of an extra has. */
export interface ExtraPart {
  readonly styles: string;
  extra(desk: Desk): Extra;
}

export type Name = keyof typeof composing;

/** The options that ask for an extra; one that is not here is asked for by a call. */
const ASKED: Readonly<Partial<Record<Name, (options: ChatKitOptions) => unknown>>> = {
  attaching: ({ composer }) => composer?.attachments?.enabled,
  tagging: ({ entities }) => entities?.onTagSearch,
  commands: ({ commands }) => commands?.enabled,
  dictating: ({ composer }) => composer?.dictation?.enabled,
  menus: ({ composer }) => composer?.models?.length || composer?.tools?.length,
};

/** Which extra takes what the page sets. */
const SETS: Readonly<Record<string, Name>> = {
  attachments: "attaching",
  files: "attaching",
  content: "tagging",
  selectedToolId: "menus",
  selectedModelId: "menus",
  reply: "quoting",
};

/** What can't be loaded is not asked for again at each draw. */
const AGAIN_MS = 20_000;

/** What extras hold for a message. */
export type Held = ReadonlyMap<Name, unknown>;

export class Extras {
  readonly above = h("div", { class: "above" });
  readonly start = h("span", { class: "side" });
  readonly end = h("span", { class: "side" });
  readonly #there = new Map<Name, Extra>();
  /** When one was last asked for, in Unix milliseconds. */
  readonly #asked = new Map<Name, number>();
  readonly #boxes: Readonly<Record<Name, Pick<Desk, "above" | "start" | "end">>>;

  constructor(private readonly deskOf: (boxes: Pick<Desk, "above" | "start" | "end">) => Desk) {
    // each at its place, whichever comes first
    const boxes = (name: string) => {
      const box = (parent: HTMLElement) => {
        const own = h("span", { "data-extra": name });
        parent.append(own);
        return own;
      };
      return [name, { above: box(this.above), start: box(this.start), end: box(this.end) }];
    };
    this.#boxes = Object.fromEntries(Object.keys(composing).map(boxes));
  }

  get all(): Iterable<Extra> {
    return this.#there.values();
  }

  /** Draws those that are there, and begins to load those that the options ask for. */
  draw(options: ChatKitOptions): void {
    for (const [name, asked] of Object.entries(ASKED) as [Name, (typeof ASKED)[Name]][])
      if (!this.#there.has(name) && asked?.(options)) this.#ask(name);
    for (const extra of this.all) extra.draw?.(options);
  }

  #ask(name: Name): void {
    const now = Date.now();
    if (now - (this.#asked.get(name) ?? -AGAIN_MS) < AGAIN_MS) return;
    this.#asked.set(name, now);
    void this.get(name);
  }

  /** The extra of this name; null where its file can't be loaded. */
  async get(name: Name): Promise<Extra | null> {
    const part: ExtraPart | null = composing[name].part ?? (await composing[name].load());
    const known = this.#there.get(name);
    if (known || !part) return known ?? null;
    const desk = this.deskOf(this.#boxes[name]);
    const extra = part.extra(desk);
    this.#there.set(name, extra);
    desk.changed();
    return extra;
  }

  /** The extra that takes what the page sets under this name; null where there is none. */
  async of(name: string): Promise<Extra | null> {
    const taker = SETS[name];
    return taker ? this.get(taker) : null;
  }

  /** Why the message can't be sent yet. */
  get waits(): string | null {
    for (const { waits } of this.all) if (waits) return waits;
    return null;
  }

  get enough(): boolean {
    return [...this.all].some(({ enough }) => enough);
  }

  get placeholder(): string | undefined {
    return [...this.all].map(({ placeholder }) => placeholder).find(Boolean);
  }

  brings(text: string): Brought {
    return Object.assign({}, ...[...this.all].map((extra) => extra.brings?.(text)));
  }

  take(): Held {
    return new Map([...this.#there].map(([name, extra]) => [name, extra.take?.() ?? null]));
  }

  put(held: Held | null): void {
    for (const [name, extra] of this.#there) extra.put?.(held?.get(name) ?? null);
  }
}
