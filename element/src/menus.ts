/** The menus of models and tools: which of them answers, and with what it begins. */

import type { ChatKitOptions, ModelOption, ToolOption } from "@openai/chatkit";
import { h, place } from "./dom";
import type { Brought, ComposerValue, Desk, Doing, Extra } from "./extras";
import { icon } from "./icons";
import type { Choice } from "./listbox";
import { IntegrationError } from "./options";
import { strings } from "./strings";
import styles from "./menus.css";

export { styles };

/** No model is chosen. */
const NONE = "";

/** What it holds for one message. */
interface Held {
  tool: string | null;
  model: string | null;
}

export const extra = (desk: Desk): Extra => new Menus(desk);

class Menus implements Extra {
  /** What the person, or the page, has chosen. */
  #tool: string | null = null;
  #model: string | null = null;
  /** What of it was chosen since the last message went out. */
  #since: Partial<Held> = {};
  readonly #toolsButton = menuButton(
    () => this.#offerTools(),
    () => this.desk.offer(null),
  );
  readonly #modelButton = menuButton(
    () => this.#offerModels(),
    () => this.desk.offer(null),
  );

  /** For whose tools and models the menus were drawn last. */
  #drawn: ChatKitOptions["composer"];

  constructor(private readonly desk: Desk) {
    redraw(this.#toolsButton, strings.tools, () => [icon("settings-slider")]);
    this.#toolsButton.ariaLabel = this.#toolsButton.title = strings.tools;
  }

  draw({ composer }: ChatKitOptions): void {
    const tools = this.#tools;
    const model = this.#chosenModel;
    const unpinned = tools.filter(({ pinned }) => !pinned);
    const seen = tools.filter(({ id, pinned }) => pinned || id === this.#tool);
    this.#modelButton.ariaLabel = strings.model(model?.label ?? "");
    redraw(this.#modelButton, model?.label ?? "", () => [
      h("span", { dir: "auto" }, model?.label ?? ""),
      icon("chevron-down"),
    ]);
    for (const button of [this.#toolsButton, this.#modelButton]) button.disabled = this.desk.locked;
    place(this.desk.start, [
      ...(unpinned.length ? [this.#toolsButton] : []),
      ...seen.map((tool) => this.#toggle(tool)),
      ...(model ? [this.#modelButton] : []),
    ]);
    if (composer !== this.#drawn) this.#offerAgain();
    this.#drawn = composer;
  }

  /** The page has other tools and models than those of the list that is open. */
  #offerAgain(): void {
    for (const [button, open] of [
      [this.#toolsButton, () => this.#offerTools()],
      [this.#modelButton, () => this.#offerModels()],
    ] as const) {
      if (!isOpen(button)) continue;
      if (button.isConnected) open();
      else {
        this.desk.offer(null);
        this.desk.focus();
      }
    }
  }

  get doings(): Doing[] {
    const tools = this.#tools.map(({ id, label, icon }) => {
      return { id, label, icon, group: strings.tools, act: () => this.#choose({ tool: id }) };
    });
    const models = this.#offered.filter(({ disabled }) => !disabled);
    return [
      ...tools,
      ...models.map(({ id, label }) => {
        return { id, label, group: strings.models, act: () => this.#choose({ model: id }) };
      }),
    ];
  }

  get placeholder(): string | undefined {
    return this.#tools.find(({ id }) => id === this.#tool)?.placeholderOverride;
  }

  brings(): Brought {
    const tool = this.#tools.find(({ id }) => id === this.#tool)?.id;
    const model = this.#chosenModel?.id;
    // none is sent where none is chosen
    return { ...(tool && { tool }), ...(model && { model }) };
  }

  take(): Held {
    const held = { tool: this.#tool, model: this.#model };
    const lasts = this.#tools.find(({ id }) => id === this.#tool)?.persistent;
    if (!lasts) this.#choose({ tool: null });
    this.#since = {};
    return held;
  }

  put(held: Held | null): void {
    this.#choose({ tool: null, model: null, ...held, ...this.#since });
    this.#since = {};
  }

  set({ selectedToolId: tool, selectedModelId: model }: ComposerValue): void {
    if (typeof tool === "string") this.#require("composer.tools", this.#tools, tool);
    if (model !== undefined) this.#require("composer.models", this.#models, model);
    this.#choose({ ...(tool !== undefined && { tool }), ...(model !== undefined && { model }) });
  }

  #require(option: string, all: readonly { id: string; disabled?: boolean }[], id: string): void {
    if (all.some((one) => one.id === id && !one.disabled)) return;
    throw new IntegrationError(`setComposerValue: ${option} has no ${JSON.stringify(id)}.`);
  }

  #choose(chosen: Partial<Held>): void {
    this.#since = { ...this.#since, ...chosen };
    const { tool = this.#tool, model = this.#model } = chosen;
    this.#tool = tool;
    this.#model = model;
    this.desk.changed();
  }

  get #tools(): ToolOption[] {
    return this.desk.options().composer?.tools ?? [];
  }

  get #models(): ModelOption[] {
    return this.desk.options().composer?.models ?? [];
  }

  /** The models to choose from; where the page has no default, the server has one: that none is chosen. */
  get #offered(): ModelOption[] {
    const models = this.#models;
    const own = models.length && !models.some((model) => model.default);
    return own ? [{ id: NONE, label: strings.usualModel, default: true }, ...models] : models;
  }

  /** The one chosen; else the one that the thread's last message was for; else the default. */
  get #chosenModel(): ModelOption | undefined {
    const models = this.#offered;
    const able = models.filter(({ disabled }) => !disabled);
    const ids = [this.#model, lastModel(this.desk)];
    const found = ids.map((id) => able.find((model) => model.id === id)).find(Boolean);
    return found ?? models.find((model) => model.default);
  }

  #toggle({ id, label, shortLabel, icon: name }: ToolOption): HTMLElement {
    const known = this.desk.start.querySelector<HTMLButtonElement>(
      `[data-tool="${CSS.escape(id)}"]`,
    );
    const button =
      known ?? h("button", { type: "button", class: "menu tool-toggle", "data-tool": id });
    if (!known) button.addEventListener("click", () => this.#switch(id));
    const on = id === this.#tool;
    button.ariaPressed = String(on);
    button.disabled = this.desk.locked;
    button.title = label;
    redraw(button, JSON.stringify([shortLabel ?? label, name, on]), () => [
      icon(name),
      h("span", { dir: "auto" }, shortLabel ?? label),
      ...(on ? [icon("close")] : []),
    ]);
    return button;
  }

  #switch(id: string): void {
    this.#choose({ tool: this.#tool === id ? null : id });
    // a button that is gone holds no focus
    this.desk.focus();
  }

  #offerTools(): void {
    const tools = this.#tools.filter(({ pinned }) => !pinned);
    const choices = tools.map(({ id, label, icon }) => {
      return { id, label, icon, chosen: id === this.#tool };
    });
    this.#offer(strings.tools, choices, this.#toolsButton, (id) =>
      this.#choose({ tool: id === this.#tool ? null : id }),
    );
  }

  #offerModels(): void {
    const chosen = this.#chosenModel?.id;
    const choices = this.#offered.map(({ id, label, description, disabled }) => {
      return { id, label, description, disabled, chosen: id === chosen };
    });
    this.#offer(strings.models, choices, this.#modelButton, (model) => this.#choose({ model }));
  }

  #offer(label: string, choices: Choice[], button: HTMLElement, pick: (id: string) => void): void {
    this.desk.offer({ label, choices, button, pick: ({ id }) => pick(id) });
  }
}

/** Which model the thread's last message was for. */
function lastModel({ session }: Desk): string | null {
  const said = [...session.state.items.values()].findLast((item) => item.type === "user_message");
  return said?.inference_options?.model ?? null;
}

function menuButton(open: () => void, close: () => void): HTMLButtonElement {
  const attributes = { class: "menu", "aria-haspopup": "listbox", "aria-expanded": "false" };
  const button = h("button", { type: "button", ...attributes });
  // the list keeps the focus until it is closed
  button.addEventListener("mousedown", (event) => event.preventDefault());
  button.addEventListener("click", () => (isOpen(button) ? close() : open()));
  return button;
}

const isOpen = (button: HTMLElement): boolean => button.ariaExpanded === "true";

/** Draws a button if it looks otherwise: one whose parts are replaced while it is pressed hears no click. */
function redraw(button: HTMLElement, look: string, parts: () => Node[]): void {
  if (button.dataset.look === look) return;
  button.dataset.look = look;
  button.replaceChildren(...parts());
}
