/** Commands: a `/` at the beginning of a word opens a list of what can be done. */

import type { Command } from "@openai/chatkit";
import type { Desk, Doing, Extra } from "./extras";
import type { Choice } from "./listbox";

export const styles = "";

const WORDS = {
  label: "Commands",
  searching: "Searching",
  none: "There is no such command.",
  unsearched: (why: string) => `The commands can't be had: ${why}`,
  failed: (label: string, why: string) => `${label} has failed: ${why}`,
  noTag: (label: string) => `${label} can't be written into this text.`,
};
/** What is behind the last slash before the caret, if that begins a word. */
const TYPED = /(?:^|\s)\/([^\s/]*)$/;

export const extra = (desk: Desk): Extra => new Commands(desk);

/** Where the command stands in the text, and what is typed of it. */
interface Typed {
  start: number;
  end: number;
  query: string;
}

class Commands implements Extra {
  /** The answers to another search than the last come too late. */
  #search = 0;
  /** Where a slash stands that the person has closed the list of. */
  #left: number | null = null;

  constructor(private readonly desk: Desk) {}

  written(): void {
    const search = ++this.#search;
    const typed = this.#typed();
    if (typed?.start !== this.#left) this.#left = null;
    if (!typed || this.#left !== null) return this.desk.offer(null);
    void this.#find(typed, search);
  }

  #typed(): Typed | null {
    const { commands } = this.desk.options();
    const [from, end] = this.desk.selection;
    const found = commands?.enabled && from === end && TYPED.exec(this.desk.value.slice(0, end));
    if (!found) return null;
    const query = found[1]!;
    return { start: end - query.length - 1, end, query };
  }

  async #find(typed: Typed, search: number): Promise<void> {
    const { onSearch } = this.desk.options().commands ?? {};
    const own = [...this.desk.all].flatMap(({ doings = [] }) => doings);
    const fits = own.filter(({ label }) => lower(label).includes(lower(typed.query)));
    if (!onSearch) return this.#offer(typed, fits, []);
    this.#offer(typed, fits, [], WORDS.searching);
    try {
      const found = await onSearch(typed.query);
      if (search === this.#search) this.#offer(typed, fits, found);
    } catch (error) {
      this.desk.failed(error);
      if (search === this.#search) this.#offer(typed, fits, [], WORDS.unsearched(why(error)));
    }
  }

  #offer(typed: Typed, own: readonly Doing[], found: readonly Command[], said?: string): void {
    const choices: Choice[] = [
      ...found.map((command) => ({ ...command, id: `page ${command.id}` })),
      ...own.map((doing) => ({ ...doing, id: nameOf(doing) })),
    ];
    this.desk.offer({
      label: WORDS.label,
      choices,
      said: said ?? (choices.length ? undefined : WORDS.none),
      left: () => (this.#left = typed.start),
      pick: ({ id }) => {
        this.desk.replace(typed.start, typed.end, "");
        const command = found.find((each) => id === `page ${each.id}`);
        if (command) void this.#select(command);
        else own.find((each) => id === nameOf(each))?.act();
      },
    });
  }

  /** Has the page run a command, and shows what it brings. */
  async #select(command: Command): Promise<void> {
    const { session } = this.desk;
    const thread = session.writesFor;
    try {
      const next = await this.desk.options().commands?.onSelect?.(command);
      // what it brings is for the text that it was chosen in
      if (!next || session.writesFor !== thread) return;
      if (next.type === "menu") return this.#offerNext(command, next.commands);
      const tagging = await this.desk.taking("content");
      if (!tagging?.tag) return this.desk.note(WORDS.noTag(next.entity.title));
      tagging.tag(next.entity, ...this.desk.selection);
    } catch (error) {
      this.desk.failed(error);
      this.desk.note(WORDS.failed(command.label, why(error)));
    }
  }

  #offerNext({ label }: Command, commands: readonly Command[]): void {
    this.desk.focus();
    this.desk.offer({
      label,
      choices: commands,
      said: commands.length ? undefined : WORDS.none,
      pick: ({ id }) => void this.#select(commands.find((each) => each.id === id)!),
    });
  }
}

/** Tools and models may have the same ids. */
const nameOf = ({ group, id }: Doing): string => `own ${group ?? ""} ${id}`;

const lower = (text: string): string => text.toLocaleLowerCase();

function why(error: unknown): string {
  return error instanceof Error ? error.message || error.name : String(error);
}
