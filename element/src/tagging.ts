/** Tags in what is written: things that are named with @, searched for by the page. */

import type { ChatKitOptions, Entity } from "@openai/chatkit";
import { h, place } from "./dom";
import type { Brought, ComposerValue, Desk, Extra } from "./extras";
import { icon } from "./icons";
import { readEntity, shown } from "./tagging/found";
import { Marks, nameOf, type Mark } from "./tagging/marks";
import { recall, remember } from "./tagging/memory";
import { TagPreview } from "./tagging/preview";
import { inTime, TooSlow, words } from "./tagging/words";
import styles from "./tagging.css";

export { styles };

/** An @ that begins a word, and what is written behind it. */
const NAMED = /(?:^|[\s(])@((?:[^\s@][^\n@]{0,60})?)$/;
const PAUSE_MS = 120;
const QUIET_MS = 400;

export const extra = (desk: Desk): Extra => new Tagging(desk);

class Tagging implements Extra {
  readonly #marks = new Marks();
  readonly #preview: TagPreview;
  readonly #button = h("button", { type: "button", class: "menu", "aria-label": words.tag }, "@");
  readonly #chips = h("ul", { class: "tags", "aria-label": words.tags });
  #drawn = new Map<Entity, HTMLElement>();
  /** The question that is open; an answer to another one is dropped. */
  #question = 0;
  #soon: ReturnType<typeof setTimeout> | undefined;
  /** Where the @ stands for which nothing more is searched, and what was searched for in vain. */
  #over: { at: number; query: string } | null = null;
  #offers = false;
  #user = "";
  #kept: readonly Entity[] = [];

  constructor(private readonly desk: Desk) {
    this.#preview = new TagPreview(desk);
    this.#button.title = words.tag;
    this.#button.addEventListener("click", () => this.#begin());
    this.written();
  }

  draw({ entities }: ChatKitOptions): void {
    this.#button.disabled = this.desk.locked;
    const shown = entities?.showComposerMenu && entities.onTagSearch;
    place(this.desk.start, shown ? [this.#button] : []);
    this.#drawChips();
  }

  written(): void {
    this.#recall();
    this.#marks.follow(this.desk.value, this.desk.selection[1]);
    this.#drawChips();
    this.#remember();
    if (this.#writes) this.#seek();
  }

  /** A tag goes as a whole. */
  key({ key, shiftKey, ctrlKey, metaKey, altKey }: KeyboardEvent): boolean {
    const [start, end] = this.desk.selection;
    if (start !== end || shiftKey || ctrlKey || metaKey || altKey) return false;
    const gone = this.#marks.list.find(
      (mark) =>
        (key === "Backspace" && mark.start < end && end <= mark.end) ||
        (key === "Delete" && mark.start <= end && end < mark.end),
    );
    if (gone) this.desk.replace(gone.start, gone.end, "");
    return !!gone;
  }

  tag(found: Entity, start: number, end: number): void {
    const entity = readEntity(found);
    if (!entity) return;
    this.#stop();
    this.#marks.learn(entity);
    const space = /^\s/.test(this.desk.value.slice(end)) ? "" : " ";
    const before = /(?:^|[\s("'«“])$/.test(this.desk.value.slice(0, start)) ? "" : " ";
    this.desk.replace(start, end, before + nameOf(entity) + space);
    this.desk.announce(words.tagged(entity.title));
  }

  brings(): Brought {
    return this.#marks.list.length ? { content: this.#marks.content() } : {};
  }

  take(): readonly Mark[] | null {
    const { list } = this.#marks;
    this.#stop();
    this.#marks.list = [];
    this.#drawChips();
    return list.length ? list : null;
  }

  put(held: readonly Mark[] | null): void {
    this.#stop();
    this.#marks.set(this.desk.value, held ?? this.#marks.list);
    this.#drawChips();
    this.#remember();
  }

  set({ content = [] }: ComposerValue): void {
    let start = 0;
    const list: Mark[] = [];
    for (const part of content) {
      if (part.type === "input_tag") {
        const { text: title, type: _, data, ...more } = part;
        const entity = { ...more, title, data: data as Record<string, string> };
        list.push({ start, end: start + title.length + 1, entity });
        start++;
      }
      start += part.text.length;
    }
    this.put(list);
  }

  met(node: HTMLElement, how: string, entity: Entity): void {
    this.#preview.met(node, how, entity);
  }

  #begin(): void {
    const { value, selection } = this.desk;
    const apart = /(?:^|\s)$/.test(value.slice(0, selection[0]));
    this.#over = null;
    this.desk.insert(apart ? "@" : " @");
  }

  #seek(): void {
    const { value, selection } = this.desk;
    const to = selection[1];
    const found = selection[0] === to ? NAMED.exec(value.slice(0, to)) : null;
    const query = found?.[1] ?? "";
    const at = to - query.length - 1;
    const within = this.#marks.list.some(({ start, end }) => start <= at && at < end);
    if (!found || within || !this.desk.options().entities?.onTagSearch) {
      if (!found) this.#over = null;
      return this.#stop();
    }
    if (this.#over?.at === at && query.startsWith(this.#over.query)) return this.#stop();
    this.#over = null;
    const question = ++this.#question;
    clearTimeout(this.#soon);
    this.#soon = setTimeout(() => void this.#search(question, at, query), query ? PAUSE_MS : 0);
  }

  async #search(question: number, at: number, query: string): Promise<void> {
    const current = () => question === this.#question;
    const slow = setTimeout(() => {
      if (current() && !this.#offers) this.#offer(at, query, [], words.searching);
    }, QUIET_MS);
    try {
      const search = this.desk.options().entities?.onTagSearch;
      const found: unknown = await inTime(Promise.resolve(search?.(query)));
      if (!Array.isArray(found)) throw new TypeError("entities.onTagSearch brings no list.");
      if (current()) this.#offerFound(at, query, shown(found));
    } catch (error) {
      if (!current()) return;
      this.desk.failed(error);
      this.#offer(at, query, [], error instanceof TooSlow ? words.slow : words.failed);
    } finally {
      clearTimeout(slow);
    }
  }

  #offerFound(at: number, query: string, found: Entity[]): void {
    if (found.length) return this.#offer(at, query, found);
    if (query.includes(" ")) {
      // whoever writes on means no tag
      this.#over = { at, query };
      return this.#stop();
    }
    this.#offer(at, query, [], query ? words.nothing : words.search);
  }

  #offer(at: number, query: string, found: Entity[], said?: string): void {
    this.#offers = true;
    this.desk.offer({
      label: words.tags,
      choices: found.map(({ id, title: label, icon, group }) => ({ id, label, icon, group })),
      said,
      tab: true,
      pick: (choice) => {
        this.#offers = false;
        const entity = found.find(({ id }) => id === choice.id);
        // more may have been typed since
        if (entity) this.tag(entity, at, Math.max(at + 1, this.desk.selection[1]));
      },
      left: () => {
        this.#offers = false;
        this.#over = { at, query };
        this.#stop();
      },
    });
  }

  #stop(): void {
    this.#question++;
    clearTimeout(this.#soon);
    if (this.#offers) this.desk.offer(null);
    this.#offers = false;
  }

  /** What was tagged before a reload is a tag again, for the same person. */
  #recall(): void {
    const user = (this.#root?.host as HTMLElement | undefined)?.dataset.user ?? "";
    if (user === this.#user) return;
    this.#user = user;
    const tags = recall(user).map(readEntity);
    this.#marks.list = [];
    this.#marks.known = tags.filter((entity) => entity !== null);
    this.#kept = this.#marks.known;
  }

  #remember(): void {
    if (this.#kept === this.#marks.known) return;
    this.#kept = this.#marks.known;
    remember(this.#user, this.#kept);
  }

  get #root(): ShadowRoot | null {
    const root = this.desk.above.getRootNode();
    return root instanceof ShadowRoot ? root : null;
  }

  /** The person writes, not the page. */
  get #writes(): boolean {
    return this.#root?.activeElement instanceof HTMLTextAreaElement;
  }

  #drawChips(): void {
    const entities = [...new Set(this.#marks.list.map(({ entity }) => entity))];
    const chips = new Map(
      entities.map((entity) => [entity, this.#drawn.get(entity) ?? this.#chip(entity)]),
    );
    if ([...this.#drawn.keys()].some((entity) => !chips.has(entity))) this.#preview.close();
    this.#drawn = chips;
    place(this.#chips, [...chips.values()]);
    place(this.desk.above, chips.size ? [this.#chips] : []);
  }

  #chip(entity: Entity): HTMLElement {
    const { onClick, onRequestPreview } = this.desk.options().entities ?? {};
    const can = entity.interactive && (onClick || onRequestPreview);
    const met = ({ type }: Event) => this.met(chip, type, entity);
    const sign = entity.icon ? icon(entity.icon) : null;
    const chip = h(
      can ? "button" : "span",
      {
        class: "tag-chip",
        ...(can && { type: "button", onclick: met, onpointerenter: met, onfocus: met }),
      },
      sign,
      h("bdi", {}, entity.title),
    );
    return h("li", {}, chip);
  }
}
