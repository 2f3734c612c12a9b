/** Actions of widgets: who does them, which of them run, and what was said against them. */

import type { ActionConfig, ThreadItem, WidgetItem } from "./protocol";
import type { Trouble } from "./room";

/** What shows that an action runs: nothing, what it is bound to, or the whole widget. */
export type Loading = "none" | "self" | "container";

/** An action that a person asks for: the form's values are in its payload. */
export interface Asked {
  action: ActionConfig;
  /** The action as the widget offers it, as text. */
  key: string;
  loading: Loading;
}

/** How a widget stands. */
export interface Standing {
  /** The keys of what runs and shows it by itself. */
  running: readonly string[];
  /** The whole widget waits. */
  waits: boolean;
  trouble: Trouble | null;
}

/** Who does something about an action. Each resolves when it is done, and rejects when it is refused. */
export interface Doers {
  /** The page, and nobody else. */
  page(action: ActionConfig, item: WidgetItem): Promise<void>;
  /** The server, at once: its answer is the item as it is now. */
  atOnce(action: ActionConfig, item: WidgetItem): Promise<void>;
  /** The server, in a turn; null: another one runs. */
  turn(action: ActionConfig, item: WidgetItem): Promise<void> | null;
}

interface Running {
  asked: Asked;
  said: string;
}

const IDLE: Standing = { running: [], waits: false, trouble: null };

export class Actions {
  #running = new Map<string, Running[]>();
  #troubles = new Map<string, Trouble>();
  /** What is asked of the server at once is asked in order. */
  #last = new Map<string, Promise<void>>();

  /** `refused` makes words of an error; null: there is nobody to tell any more. */
  constructor(
    private readonly doers: Doers,
    private readonly refused: (error: unknown) => Trouble | null,
    private readonly changed: () => void,
  ) {}

  standing({ id }: ThreadItem): Standing {
    const all = this.#running.get(id);
    const trouble = this.#troubles.get(id) ?? null;
    if (!all && !trouble) return IDLE;
    const of = (loading: Loading) => (all ?? []).filter(({ asked }) => asked.loading === loading);
    const running = of("self").map(({ asked }) => asked.key);
    return { running, waits: of("container").length > 0, trouble };
  }

  /** Does what was asked for, unless that runs already. */
  async act(asked: Asked, item: WidgetItem): Promise<void> {
    const all = this.#running.get(item.id) ?? [];
    const one: Running = { asked, said: JSON.stringify(asked.action) };
    if (all.some((other) => isIn(other, one)) || all.at(-1)?.said === one.said) return;
    const doing = this.#begin(asked.action, item);
    if (!doing) return;
    const running = this.#running;
    running.set(item.id, [...all, one]);
    this.#troubles.delete(item.id);
    this.changed();
    try {
      await doing;
    } catch (error) {
      this.tell(error, item.id, running);
    } finally {
      const left = (running.get(item.id) ?? []).filter((other) => other !== one);
      if (left.length) running.set(item.id, left);
      else running.delete(item.id);
      this.changed();
    }
  }

  /** Says at the widget what was said against it, if it is still there. */
  tell(error: unknown, id: string, visit = this.#running): void {
    if (visit !== this.#running) return;
    const trouble = this.refused(error);
    if (trouble) this.#troubles.set(id, trouble);
    this.changed();
  }

  /** What was said at this item is said no more. */
  unsay(id: string): void {
    this.#troubles.delete(id);
  }

  #begin(action: ActionConfig, item: WidgetItem): Promise<void> | null {
    if (isForPage(action)) return this.doers.page(action, item);
    if (!isAtOnce(action)) return this.doers.turn(action, item);
    const before = this.#last.get(item.id) ?? Promise.resolve();
    const doing = before.then(() => this.doers.atOnce(action, item));
    this.#last.set(
      item.id,
      doing.catch(() => {}),
    );
    return doing;
  }

  /** Forgets all, as another thread is shown. */
  close(): void {
    this.#running = new Map();
    this.#troubles = new Map();
    this.#last = new Map();
  }
}

/** Whether what runs leaves no room for this. */
function isIn({ asked }: Running, one: Running): boolean {
  return asked.loading === "container" || (asked.loading === "self" && asked.key === one.asked.key);
}

const isForPage = ({ handler }: ActionConfig): boolean => handler === "client";
const isAtOnce = ({ streaming }: ActionConfig): boolean => streaming === false;

/** Whether it is done in a turn of its own: it has to wait while another one runs. */
export function needsTurn(action: ActionConfig): boolean {
  return !isForPage(action) && !isAtOnce(action);
}
