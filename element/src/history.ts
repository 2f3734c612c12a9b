/** The list of the person's threads: open, rename, delete. */

import type { ChatKitOptions } from "@openai/chatkit";
import { alertBox } from "./alert";
import { h } from "./dom";
import { icon } from "./icons";
import { plain } from "./plain";
import type { Thread } from "./protocol";
import type { Trouble } from "./room";
import type { Session } from "./session";
import { strings } from "./strings";
import styles from "./history.css";

export { styles };

type Doing = { id: string; what: "rename" | "remove" } | null;

export class History {
  readonly node = h("nav", { class: "history", "aria-label": strings.conversations });
  #threads: Thread[] = [];
  #after: string | null = null;
  #state: "loading" | "ready" = "loading";
  #problem: Trouble | null = null;
  #doing: Doing = null;

  constructor(
    private readonly session: Session,
    private readonly options: () => ChatKitOptions,
    private readonly choose: (id: string) => void,
    private readonly failed: (error: unknown) => void,
  ) {}

  /** Reads the list anew. */
  async load(): Promise<void> {
    this.#threads = [];
    this.#doing = null;
    await this.#read();
    this.node.querySelector<HTMLElement>("li button")?.focus();
  }

  /** Reads its beginning again, unless something is being done with it. */
  async refresh(): Promise<void> {
    if (this.#doing || this.#state === "loading") return;
    try {
      const { data, has_more } = await this.session.threads();
      if (this.#doing) return;
      const first = new Set(data.map(({ id }) => id));
      const rest = has_more ? this.#threads.filter(({ id }) => !first.has(id)) : [];
      if (!has_more) this.#after = null;
      const threads = [...data, ...rest];
      if (JSON.stringify(threads) === JSON.stringify(this.#threads)) return;
      this.#threads = threads;
      this.#draw();
    } catch {
      // what is shown was true a while ago
    }
  }

  async #read(after?: string): Promise<void> {
    this.#state = "loading";
    this.#problem = null;
    this.#draw();
    try {
      const page = await this.session.threads(after);
      this.#threads.push(...page.data);
      this.#after = page.has_more ? (page.after ?? null) : null;
    } catch (error) {
      this.#failed(error, () => void this.#read(after));
    }
    this.#state = "ready";
    this.#draw();
  }

  #failed(error: unknown, retry: () => void): void {
    const message = error instanceof Error ? error.message : String(error);
    this.#problem = { message, way: { label: strings.retry, act: retry } };
    this.failed(error);
  }

  #draw(): void {
    const entries = this.#threads.map((thread) =>
      h("li", { "data-thread-id": thread.id }, ...this.#entry(thread)),
    );
    const loading = this.#state === "loading";
    const more = h("button", { type: "button", class: "plain wide" }, strings.showMore);
    more.addEventListener("click", () => void this.#read(this.#after ?? undefined));
    this.node.replaceChildren(
      ...(this.#problem ? [alertBox(this.#problem)] : []),
      ...(entries.length ? [h("ul", {}, ...entries)] : []),
      ...(loading ? [h("p", { class: "quiet", role: "status" }, strings.loading)] : []),
      ...(!loading && !entries.length && !this.#problem
        ? [h("p", { class: "quiet" }, strings.noConversations)]
        : []),
      ...(this.#after && !loading ? [more] : []),
    );
  }

  #entry(thread: Thread): Node[] {
    const title = plain(thread.title ?? "") || strings.untitled;
    if (this.#doing?.id === thread.id)
      return this.#doing.what === "rename" ? [this.#renaming(thread)] : [this.#removing(thread)];
    const { showRename, showDelete } = this.options().history ?? {};
    const open = h("button", { type: "button", class: "open", dir: "auto" }, h("span", {}, title));
    if (thread.waits) open.append(" ", h("span", { class: "waits" }, strings.waits));
    if (thread.id === this.session.threadId) open.setAttribute("aria-current", "true");
    open.addEventListener("click", () => this.choose(thread.id));
    const tool = (name: string, label: string, what: "rename" | "remove") => {
      const button = h("button", { type: "button", "aria-label": label, title: label }, icon(name));
      button.addEventListener("click", () => this.#do({ id: thread.id, what }));
      return button;
    };
    return [
      open,
      ...(showRename ? [tool("edit", strings.rename(title), "rename")] : []),
      ...(showDelete ? [tool("trash", strings.remove(title), "remove")] : []),
    ];
  }

  #renaming(thread: Thread): HTMLElement {
    const box = h("input", { "aria-label": strings.title, value: thread.title ?? "", dir: "auto" });
    const form = h("form", {}, box);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#rename(thread, box.value.trim());
    });
    box.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      this.#done(thread.id);
    });
    // once it is on the page
    queueMicrotask(() => box.select());
    return form;
  }

  async #rename(thread: Thread, title: string): Promise<void> {
    if (!title) return this.#done(thread.id);
    try {
      const renamed = await this.session.rename(thread.id, title);
      this.#problem = null;
      this.#threads = this.#threads.map((known) => (known.id === thread.id ? renamed : known));
    } catch (error) {
      this.#failed(error, () => void this.#rename(thread, title));
    }
    this.#done(thread.id);
  }

  #removing(thread: Thread): HTMLElement {
    const confirm = h("button", { type: "button", class: "danger" }, strings.confirm);
    const keep = h("button", { type: "button", class: "plain" }, strings.keep);
    confirm.addEventListener("click", () => void this.#remove(thread));
    keep.addEventListener("click", () => this.#done(thread.id));
    queueMicrotask(() => keep.focus());
    const question = h("span", {}, strings.confirmRemoval);
    const group = h("div", { role: "group", class: "confirm" }, question, confirm, keep);
    group.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      this.#done(thread.id);
    });
    return group;
  }

  async #remove(thread: Thread): Promise<void> {
    const at = this.#threads.indexOf(thread);
    try {
      await this.session.remove(thread.id);
      this.#problem = null;
      this.#threads = this.#threads.filter((known) => known.id !== thread.id);
    } catch (error) {
      this.#failed(error, () => void this.#remove(thread));
    }
    const next = this.#threads[Math.min(at, this.#threads.length - 1)];
    this.#done(next?.id ?? null);
  }

  #do(doing: Doing): void {
    this.#doing = doing;
    this.#draw();
  }

  #done(focus: string | null): void {
    this.#do(null);
    const entry = focus && this.node.querySelector(`[data-thread-id="${CSS.escape(focus)}"] .open`);
    if (entry instanceof HTMLElement) entry.focus();
  }
}
