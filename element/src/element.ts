/** <openai-chatkit>: the tag, methods, options and events of ChatKit's public types. */

import type { ChatKitOptions, OpenAIChatKit, StartScreenPrompt } from "@openai/chatkit";
import { Drafts } from "./drafts";
import type { ComposerValue } from "./extras";
import { refuseFiles } from "./files";
import { afterFrame, onceAFrame } from "./frame";
import { items } from "./further";
import type { Surroundings } from "./items";
import { keepWords } from "./keyboard";
import { written } from "./odd";
import { IntegrationError, nameOthers } from "./options";
import { Presence } from "./presence";
import { Session } from "./session";
import { dress } from "./sheets";
import { strings } from "./strings";
import { applyTheme } from "./theme";
import { View } from "./view";
import { Writing } from "./writing";

type Sent = Parameters<OpenAIChatKit["sendUserMessage"]>[0];

export class ChatKitElement extends HTMLElement {
  #options: ChatKitOptions | null = null;
  #ready = false;
  #heard = false;
  #away = false;
  readonly #root = this.attachShadow({ mode: "open" });
  readonly #session = new Session(() => this.#set, {
    changed: () => this.#draw(),
    emit: (name, detail) => {
      if (name === "thread.load.end") this.#writing.settled();
      this.#emit(name, detail);
      // it may not have come before
      if (name.endsWith(".start")) void this.#furnish();
    },
    moved: () => this.#writing.moved(),
    named: (thread) => this.#writing.named(thread),
    sending: (text, own) => {
      this.#view.toEnd();
      this.#writing.sending(text, own);
    },
    taken: () => this.#writing.taken(),
    refused: (text, thread) => this.#writing.refused(text, thread),
    // what the person has changed of it since is meant
    resend: (message) =>
      (message.written !== undefined && this.#view.composer.submit()) ||
      this.#caught(this.#session.send(message)),
    spoken: (thread) => this.#presence.spoken(thread),
    met: (user) => this.#writing.met(user),
  });
  readonly #writing = new Writing(
    () => this.#session,
    () => this.#view.composer,
  );
  readonly #presence = new Presence({
    looked: () => {
      void this.#session.lookAgain();
      this.#view.refreshHistory();
    },
    spoken: (thread) => {
      this.#session.outdated(thread);
      if (document.hidden) return;
      if (thread === this.#session.threadId) void this.#session.lookAgain();
      this.#view.refreshHistory();
    },
    signedOut: () => {
      this.#writing.forget();
      this.#session.end(strings.signedOut);
    },
    printing: () => void this.#session.loadAll(),
  });
  readonly #view = new View(
    this.#session,
    () => this.#set,
    () => this.#around(),
    {
      toggleHistory: () => void (this.#view.showsHistory ? this.hideHistory() : this.showHistory()),
      begin: () => void this.setThreadId(null),
      choose: (id) => void this.setThreadId(id),
      send: (message) => this.#caught(this.#session.send(message)),
      wrote: (text) => this.#writing.wrote(text),
      prompt: ({ prompt }: StartScreenPrompt) =>
        this.#caught(
          this.sendUserMessage(typeof prompt === "string" ? { text: prompt } : { content: prompt }),
        ),
      emit: (name, detail) => this.#emit(name, detail),
      failed: (error) => this.#failed(error),
      open: (address) => this.#deeplink(address),
    },
  );

  readonly #drawSoon = onceAFrame(() => this.#view.draw());

  constructor() {
    super();
    dress(this.#root);
    keepWords(this.#root);
    this.#root.addEventListener("keydown", (event) => {
      if (!(event instanceof KeyboardEvent) || event.key !== "Escape") return;
      if (this.#view.showsHistory) void this.hideHistory();
    });
    refuseFiles(this, () => this.#view.composer.note(strings.noFiles));
  }

  /** Whom the chat is for, as the page knows it: the user's id at the chat's server. */
  static readonly observedAttributes = ["data-user"];

  attributeChangedCallback(_name: string, before: string | null, user: string | null): void {
    if (user !== null && user !== before) this.#session.belong(user);
  }

  connectedCallback(): void {
    this.#presence.begin();
    if (this.#options) this.#begin();
    if (this.#away) void this.#session.rejoin();
    this.#away = false;
  }

  disconnectedCallback(): void {
    this.#presence.end();
    // a node that is moved is taken out and put in again at once
    queueMicrotask(() => {
      if (this.isConnected) return;
      this.#away = true;
      this.#session.leave();
    });
  }

  /** Takes all options anew; nothing of the old ones stays. Throws IntegrationError. */
  setOptions(options: ChatKitOptions): void {
    const api: object | undefined = options?.api;
    if (!api || !("url" in api || "getClientSecret" in api)) {
      throw new IntegrationError("ChatKit's options need api.url or api.getClientSecret.");
    }
    nameOthers(options);
    this.#options = options;
    applyTheme(this, options.theme);
    if (this.isConnected) this.#begin();
    this.#draw();
  }

  async focusComposer(): Promise<void> {
    this.#view.composer.focus();
  }

  async setThreadId(threadId: string | null): Promise<void> {
    this.#closeHistory();
    this.#view.toEnd();
    if (threadId && threadId !== this.#session.threadId) {
      await this.#session.open(threadId);
    } else if (!threadId) {
      this.#session.begin();
      this.#view.draw();
      this.#view.composer.focus();
    }
    this.#draw();
  }

  async sendUserMessage(params: Sent): Promise<void> {
    const { text, content, reply, attachments, newThread, toolChoice, model } = params;
    const said = content ?? (text ? [{ type: "input_text" as const, text }] : []);
    if (!said.length && !attachments?.length) return;
    if (newThread) this.#session.begin();
    this.#closeHistory();
    await this.#session.send({
      content: said,
      ...(reply ? { quote: reply } : {}),
      ...(attachments ? { attachments } : {}),
      ...(toolChoice ? { tool: toolChoice.id } : {}),
      ...(model ? { model } : {}),
    });
  }

  /** Throws IntegrationError. */
  async setComposerValue({ text, content, ...more }: ComposerValue): Promise<void> {
    const said = text ?? (content && written(content));
    if (said !== undefined) this.#writing.put(said);
    const tags = content?.some(({ type }) => type === "input_tag");
    await this.#view.composer.set({ ...more, ...(tags && { content: content! }) });
  }

  async fetchUpdates(): Promise<void> {
    await this.#session.refresh();
  }

  async sendCustomAction(
    action: { type: string; payload?: Record<string, unknown> },
    itemId?: string,
  ): Promise<void> {
    await this.#session.act(action, itemId);
  }

  async showHistory(): Promise<void> {
    if (this.#view.showsHistory) return;
    this.#view.showsHistory = true;
    this.#emit("history.open");
    this.#draw();
    await this.#view.loadHistory();
  }

  async hideHistory(): Promise<void> {
    this.#closeHistory();
    // what is hidden until the next frame takes no focus
    this.#view.draw();
    this.#view.composer.focus();
  }

  /** As of any element; the first who listens for `chatkit.ready` hears it, however late. */
  override addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject,
    options?: boolean | AddEventListenerOptions,
  ): void {
    super.addEventListener(type, listener, options);
    if (type !== "chatkit.ready" || this.#heard) return;
    this.#heard = true;
    // React's wrapper listens in an effect that runs after the options were set
    if (this.#ready) queueMicrotask(() => this.#emit("ready"));
  }

  get #set(): ChatKitOptions {
    if (!this.#options) throw new IntegrationError("Call setOptions first.");
    return this.#options;
  }

  #begin(): void {
    if (this.#root.contains(this.#view.node)) return;
    this.#root.append(this.#view.node);
    void this.#furnish();
    this.#draw();
    // a frame later, so that whoever set the options can listen
    afterFrame(() => {
      this.#ready = true;
      this.#emit("ready");
      // a draft is shown to its author only
      if (Drafts.any) void this.#session.meet();
      const { initialThread } = this.#set;
      if (initialThread && !this.#session.threadId) void this.#session.open(initialThread);
    });
  }

  /** Loads what draws items. */
  async #furnish(): Promise<void> {
    if (!items.part && (await items.load())) this.#draw();
  }

  #caught(said: Promise<void>): void {
    said.catch((error: unknown) => this.#failed(error));
  }

  #closeHistory(): void {
    if (!this.#view.showsHistory) return;
    this.#view.showsHistory = false;
    this.#emit("history.close");
  }

  #around(): Surroundings {
    const session = this.#session;
    return {
      busy: session.busy,
      allowedImageDomains: session.state.thread?.allowed_image_domains ?? [],
      open: (address) => this.#deeplink(address),
      act: (asked, item) => void session.actions.act(asked, item),
      standing: (item) => session.actions.standing(item),
      tags: !!(this.#set.entities?.onClick ?? this.#set.entities?.onRequestPreview),
      met: (node, how, entity) =>
        void this.#view.composer.extras.get("tagging").then((tagging) => {
          tagging?.met?.(node, how, entity);
        }),
      answer: (item, values) => void session.answer(item.id, values),
      renew: (item) => session.renew(item),
    };
  }

  #deeplink(address: string): void {
    const url = new URL(address);
    const name = url.host || url.pathname.replace(/^\/+/, "");
    this.#emit("deeplink", { name, data: Object.fromEntries(url.searchParams) });
  }

  #failed(error: unknown): void {
    this.#emit("error", { error: error instanceof Error ? error : new Error(String(error)) });
  }

  #emit(name: string, detail?: unknown): void {
    this.dispatchEvent(
      new CustomEvent(`chatkit.${name}`, { detail, bubbles: true, composed: true }),
    );
  }

  #draw(): void {
    if (this.#options && this.#root.contains(this.#view.node)) this.#drawSoon();
  }
}
