/** The whole picture: header, messages or history, composer; and where the scroll stands. */

import type { ChatKitOptions, HeaderIcon } from "@openai/chatkit";
import { alertBox } from "./alert";
import { Announcer } from "./announcer";
import { Composer } from "./composer";
import { h, place } from "./dom";
import { history as lists, items, prose } from "./further";
import type { History } from "./history";
import { icon, iconButton } from "./icons";
import type { Surroundings } from "./items";
import { Log } from "./log";
import { textOf } from "./odd";
import { plain } from "./plain";
import type { Notice } from "./protocol";
import { unreachable } from "./refusal";
import { again, type Trouble } from "./room";
import type { Outgoing, Session } from "./session";
import type { Progress } from "./state";
import { Scroll } from "./scroll";
import { startScreen } from "./start-screen";
import { strings } from "./strings";

export class View {
  readonly node = h("section", { class: "chat" });
  readonly composer: Composer;
  showsHistory = false;

  readonly #log: Log;
  /** Once it was wanted. */
  #history: History | null = null;
  readonly #announcer = new Announcer();
  readonly #header = h("header");
  readonly #title = h("h2", { dir: "auto" });
  readonly #left = h("div", { class: "tools" });
  readonly #right = h("div", { class: "tools" });
  readonly #toHistory = iconButton("history", strings.conversations);
  readonly #toNew = iconButton("compose", strings.newConversation);
  readonly #column = h("div", { class: "column" });
  readonly #older = h("p", { class: "quiet", role: "status" }, strings.loadingOlder);
  readonly #notPrinted = h("p", { class: "on-paper quiet" }, strings.notPrinted);
  readonly #progress = h("p", { class: "progress", role: "status", "data-part": "progress" });
  /** What is read aloud at once: a region that is there before it speaks. */
  readonly #aloud = h("p", { class: "hidden", role: "status", "data-part": "aloud" });
  #askings: ReturnType<typeof askingsOf> = null;
  readonly #toEnd = iconButton("arrow-down", strings.latest);
  readonly #scroll = new Scroll(this.#column, () => this.#look());
  #listLost = false;
  #first: string | undefined;
  #trouble: { shown: Trouble; node: HTMLElement } | null = null;
  #notices = new Map<Notice, HTMLElement>();
  readonly #read = new WeakSet<Notice>();
  #start: { options: unknown; node: HTMLElement } | null = null;

  constructor(
    private readonly session: Session,
    private readonly options: () => ChatKitOptions,
    private readonly around: () => Surroundings,
    private readonly on: {
      toggleHistory(): void;
      begin(): void;
      choose(id: string): void;
      send(message: Outgoing): void;
      wrote(text: string): void;
      emit(name: string, detail?: unknown): void;
      prompt(
        prompt: NonNullable<NonNullable<ChatKitOptions["startScreen"]>["prompts"]>[number],
      ): void;
      failed(error: unknown): void;
      open(address: string): void;
    },
  ) {
    this.#log = new Log(session);
    this.composer = new Composer(session, options, on);
    this.#log.node.addEventListener("selectstart", () => void this.composer.extras.get("quoting"));
    this.#toHistory.addEventListener("click", on.toggleHistory);
    this.#toNew.addEventListener("click", on.begin);
    this.#toEnd.classList.add("to-end");
    this.#toEnd.addEventListener("click", () => this.toEnd());
    this.#header.append(this.#left, this.#title, this.#right);
    const stage = h("div", { class: "stage" }, this.#scroll.node, this.#toEnd);
    this.node.append(this.#header, stage, this.composer.node, this.#announcer.node, this.#aloud);
  }

  /** Goes to the last message, and stays there while more is said. */
  toEnd(): void {
    this.#scroll.toEnd();
  }

  draw(): void {
    const options = this.options();
    if (this.session.over) this.showsHistory = false;
    this.node.setAttribute("aria-label", options.frameTitle ?? strings.frame);
    this.#drawHeader(options);
    this.composer.draw(options);
    this.composer.node.hidden = this.showsHistory;
    if (this.showsHistory) place(this.#column, [this.#history?.node ?? this.#listLoads()]);
    else this.#drawThread(options);
    this.#toEnd.hidden = this.showsHistory || this.#scroll.sticky;
  }

  /** Reads the person's threads, and shows them. */
  async loadHistory(): Promise<void> {
    this.#listLost = false;
    const { session, options, on } = this;
    const part = lists.part ?? (await lists.load());
    this.#listLost = !part;
    if (part) this.#history ??= new part.History(session, options, on.choose, on.failed);
    this.draw();
    await this.#history?.load();
  }

  /** Reads them again, if they are shown. */
  refreshHistory(): void {
    if (this.showsHistory) void this.#history?.refresh();
  }

  /** What stands there until the list is there. */
  #listLoads(): Node {
    if (!this.#listLost) return h("p", { class: "quiet", role: "status" }, strings.loading);
    return alertBox({
      message: unreachable().message,
      way: again(() => void this.loadHistory()),
    });
  }

  #drawHeader({ header, history }: ChatKitOptions): void {
    this.#header.hidden = header?.enabled === false;
    const title = header?.title?.text ?? this.session.state.thread?.title ?? strings.untitled;
    const shown = this.showsHistory ? strings.conversations : plain(title);
    if (this.#title.textContent !== shown) this.#title.textContent = shown;
    this.#title.hidden = header?.title?.enabled === false && !this.showsHistory;
    this.#toHistory.setAttribute("aria-expanded", String(this.showsHistory));
    const withHistory = history?.enabled !== false;
    place(this.#left, [
      ...(header?.leftAction ? [custom(header.leftAction)] : []),
      ...(withHistory ? [this.#toHistory] : []),
    ]);
    place(this.#right, [this.#toNew, ...(header?.rightAction ? [custom(header.rightAction)] : [])]);
  }

  #drawThread(options: ChatKitOptions): void {
    const { state, loading } = this.session;
    const empty = !state.thread && !state.items.size && !loading;
    const parts: Node[] = [];
    const waits = this.session.signingIn ? strings.signingIn : strings.loading;
    if (loading) parts.push(h("p", { class: "quiet", role: "status" }, waits));
    if (empty && !this.session.trouble) parts.push(this.#startScreen(options));
    if (this.session.hasOlder) parts.push(this.#older, this.#notPrinted);
    const [first] = state.items.keys();
    const moves = first !== this.#first && !this.#scroll.sticky;
    const anchor = moves ? this.#scroll.anchor(this.#log.node.children) : null;
    // a short page may fill nothing: then nothing is scrolled and no height changes
    if (first !== this.#first) requestAnimationFrame(() => this.#look());
    this.#first = first;
    if (!empty) {
      const { feedback = false, retry = false } = options.threadItemActions ?? {};
      this.#log.draw(this.around(), { feedback, retry });
      parts.push(this.#log.node);
      this.#announce();
    }
    parts.push(...this.#drawProgress(), ...this.#drawNotices(), ...this.#drawTrouble(options));
    place(this.#column, parts);
    if (anchor) this.#scroll.hold(anchor);
  }

  #startScreen({ startScreen: screen }: ChatKitOptions): HTMLElement {
    if (!this.#start || this.#start.options !== screen)
      this.#start = { options: screen, node: startScreen(screen ?? {}, this.on.prompt) };
    return this.#start.node;
  }

  #drawProgress(): Node[] {
    const { busy } = this.session;
    const doing = busy ? this.#doing() : null;
    if (!doing?.text) return [];
    const { text, icon: name } = doing;
    if (this.#progress.textContent !== text || this.#progress.dataset.icon !== (name ?? "")) {
      this.#progress.replaceChildren(...(name ? [icon(name)] : []), text);
      this.#progress.dataset.icon = name ?? "";
    }
    return [this.#progress];
  }

  /** What is waited for. */
  #doing(): Progress | null {
    const { reconnecting, signingIn, state } = this.session;
    if (signingIn) return { text: strings.signingIn, icon: null };
    if (reconnecting) return { text: strings.reconnecting, icon: null };
    if (state.progress) return state.progress;
    const last = [...state.items.values()].at(-1);
    return last?.type === "user_message" ? { text: strings.thinking, icon: null } : null;
  }

  #drawNotices(): Node[] {
    const { notices } = this.session.state;
    for (const known of this.#notices.keys())
      if (!notices.includes(known) || !items.part) this.#notices.delete(known);
    const nodes = notices.map((notice) => {
      const node = this.#notices.get(notice) ?? this.#notice(notice);
      this.#notices.set(notice, node);
      return node;
    });
    const unread = nodes.filter((_, i) => !this.#read.has(notices[i]!));
    if (unread.length) this.#aloud.textContent = unread.map((node) => node.textContent).join(" ");
    for (const notice of notices) this.#read.add(notice);
    return nodes;
  }

  #notice(notice: Notice): HTMLElement {
    const { level, title, message } = notice;
    const body = h("div", { class: "prose" });
    prose(body, message, this.on.open);
    const dismiss = iconButton("close", strings.dismiss);
    dismiss.addEventListener("click", () => {
      this.session.state.notices = this.session.state.notices.filter((other) => other !== notice);
      this.draw();
    });
    const mark = icon(level === "info" ? "info" : "warning");
    const text = h("div", {}, title ? h("strong", {}, title, " ") : null, body);
    const attributes = { class: "notice", "data-part": "notice", "data-level": level };
    return h("div", attributes, mark, text, dismiss);
  }

  #drawTrouble(options: ChatKitOptions): Node[] {
    const { trouble, unanswered } = this.session;
    // a button that goes leaves the keyboard somewhere
    if (this.#trouble && this.#trouble.shown !== trouble && focused(this.#trouble.node))
      this.composer.focus();
    if (!trouble) {
      this.#trouble = null;
      return unanswered && options.threadItemActions?.retry
        ? [this.#unanswered(unanswered.id)]
        : [];
    }
    if (this.#trouble?.shown !== trouble) {
      this.#trouble = { shown: trouble, node: alertBox(trouble) };
    }
    return [this.#trouble.node];
  }

  #unanswered(id: string): HTMLElement {
    const again = h("button", { type: "button", class: "plain" }, strings.again);
    again.addEventListener("click", () => void this.session.retry(id));
    return h("div", { class: "quiet" }, strings.unanswered, again);
  }

  /** Reads the growing answer aloud; what was there when it was opened is left to the reader. */
  #announce(): void {
    const { items: shown } = this.session.state;
    this.#askings ??= askingsOf((text) => (this.#aloud.textContent = text));
    this.#askings?.look(shown, this.session.loading);
    const last = [...shown.values()].at(-1);
    if (last?.type !== "assistant_message") return;
    if (this.session.busy) this.#announcer.tell(last.id, textOf(last));
    else this.#announcer.finish(last.id, textOf(last));
  }

  /** What follows from where the scroll stands. */
  #look(): void {
    this.#toEnd.hidden = this.showsHistory || this.#scroll.sticky;
    if (!this.session.hasOlder || this.showsHistory) return;
    if (this.#scroll.nearBeginning) void this.session.loadOlder();
  }
}

const focused = (node: HTMLElement): boolean => !!node.querySelector(":focus-visible");

/** Who says what is asked; null until that is loaded. */
function askingsOf(say: (text: string) => void) {
  return items.part && new items.part.Askings(say);
}

function custom(action: { icon: HeaderIcon; onClick: () => void }): HTMLButtonElement {
  const label = action.icon.replaceAll("-", " ");
  const button = iconButton(action.icon, label[0]!.toUpperCase() + label.slice(1));
  button.addEventListener("click", () => action.onClick());
  return button;
}
