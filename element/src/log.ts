/** The messages, turn by turn: only a turn in which something has changed is drawn again. */

import { copyText } from "./clipboard";
import { h, place } from "./dom";
import { icon } from "./icons";
import { items as further } from "./further";
import type { Surroundings } from "./items";
import { textOf, wordsIn } from "./odd";
import type { ThreadItem } from "./protocol";
import type { Session } from "./session";
import { strings } from "./strings";
import type { Feedback } from "./verdicts";

export interface LogActions {
  feedback: boolean;
  retry: boolean;
}

/** A message of the person's and all that follows it. */
interface Turn {
  node: HTMLElement;
  items: readonly ThreadItem[];
  /** What else its look depends on. */
  look: string;
  rows: Map<string, Row>;
}

interface Row {
  item: ThreadItem;
  /** What else its look depends on. */
  look: string;
  /** It is not drawn yet, but written out. */
  plain: boolean;
  article: HTMLElement;
  visible: boolean;
}

export class Log {
  readonly node = h("div", { role: "log", "aria-label": strings.messages, "aria-live": "off" });
  #turns = new Map<string, Turn>();

  constructor(private readonly session: Session) {}

  /** Draws what has changed since the last time. */
  draw(around: Surroundings, actions: LogActions): void {
    const groups = turnsOf(this.session.state.items.values());
    const kept = new Map<string, Turn>();
    groups.forEach((items, i) => {
      const whole = !this.session.busy || i < groups.length - 1;
      const key = items[0]!.id;
      kept.set(key, this.#turn(this.#turns.get(key), items, around, actions, whole));
    });
    this.#turns = kept;
    const nodes = [...kept.values()].map((turn) => turn.node);
    place(this.node, nodes);
    this.node.setAttribute("aria-busy", String(this.session.busy));
  }

  #turn(
    known: Turn | undefined,
    items: readonly ThreadItem[],
    around: Surroundings,
    actions: LogActions,
    whole: boolean,
  ): Turn {
    const said = items.filter((item) => item.type === "assistant_message");
    const rated = said.length ? this.session.feedback.get(said.at(-1)!.id) : undefined;
    const stand = items.filter(hasControls).map((item) => lookOf(item, around, !whole));
    const domains = around.allowedImageDomains;
    const can = [around.tags, further.part !== null];
    const look = JSON.stringify([whole, rated, actions, stand, domains, can]);
    if (known && known.look === look && same(known.items, items)) return known;
    const node = known?.node ?? h("div", { class: "turn" });
    const rows = new Map(
      items.map((item) => [item.id, drawn(known?.rows.get(item.id), item, around, !whole)]),
    );
    const parts: Node[] = [...rows.values()].filter((row) => row.visible).map((row) => row.article);
    if (said.length && whole) parts.push(this.#footer(node, items, said, actions));
    place(node, parts);
    return { node, items, look, rows };
  }

  /** What can be done with an answer, once it is whole. */
  #footer(
    turn: HTMLElement,
    items: readonly ThreadItem[],
    said: readonly ThreadItem[],
    { feedback, retry }: LogActions,
  ): HTMLElement {
    const old = turn.querySelector<HTMLElement>(":scope > .actions");
    const focused = old && focusedIn(old);
    const ids = said.map((item) => item.id);
    const rated = this.session.feedback.get(ids.at(-1)!);
    const rate = (kind: Feedback, name: string, label: string) => {
      const button = action(name, label, () => void this.session.feedback.rate(ids, kind));
      button.setAttribute("aria-pressed", String(rated === kind));
      return button;
    };
    const node = h("div", { class: "actions", role: "group" });
    const copy = action("copy", strings.copy, () => void copied(copy, said.map(textOf)));
    node.append(copy);
    if (feedback) {
      node.append(rate("positive", "thumb-up", strings.good));
      node.append(rate("negative", "thumb-down", strings.bad));
    }
    const [asked] = items;
    if (retry && asked?.type === "user_message")
      node.append(action("retry", strings.again, () => void this.session.retry(asked.id)));
    // once it stands where the old one stood
    if (focused)
      queueMicrotask(() => node.querySelector<HTMLElement>(`[aria-label="${focused}"]`)?.focus());
    return node;
  }
}

function turnsOf(items: Iterable<ThreadItem>): ThreadItem[][] {
  const turns: ThreadItem[][] = [];
  for (const item of items) {
    const ended = turns.at(-1)?.at(-1)?.type === "end_of_turn";
    if (item.type === "user_message" || !turns.length || ended) turns.push([]);
    turns.at(-1)!.push(item);
  }
  return turns;
}

function same(a: readonly ThreadItem[], b: readonly ThreadItem[]): boolean {
  return a.length === b.length && a.every((item, i) => item === b[i]);
}

function drawn(
  known: Row | undefined,
  item: ThreadItem,
  around: Surroundings,
  growing: boolean,
): Row {
  const look = lookOf(item, around, growing);
  const { part } = further;
  if (known?.item === item && known.look === look && known.plain === !part) return known;
  const again = known?.item.type === item.type && known.plain === !part;
  const article = again ? known.article : emptyArticle(item);
  const visible = part ? part.drawItem(article, item, around, growing) : written(article, item);
  return { item, look, plain: !part, article, visible };
}

/** Writes out what the item says, while what draws it is not there. */
function written(article: HTMLElement, item: ThreadItem): boolean {
  const words = textOf(item) || wordsIn(item);
  const look = item.type === "user_message" ? "bubble" : "pre";
  article.replaceChildren(h("p", { class: look, dir: "auto" }, words));
  return words !== "";
}

/** Whether the item may still grow; of one with controls, whether they can be used now. */
function lookOf(item: ThreadItem, around: Surroundings, growing: boolean): string {
  if (!hasControls(item)) return JSON.stringify([growing, around.allowedImageDomains, around.tags]);
  return JSON.stringify([around.busy, around.standing(item)]);
}

function hasControls(item: ThreadItem): boolean {
  return item.type === "widget" || item.type === "structured_input";
}

function emptyArticle(item: ThreadItem): HTMLElement {
  return h("article", {
    "aria-label": item.type === "user_message" ? strings.you : strings.assistant,
    "data-item-id": item.id,
    "data-item-type": item.type,
  });
}

function action(name: string, label: string, act: () => void): HTMLButtonElement {
  const attributes = { type: "button", "aria-label": label, title: label };
  return h("button", { ...attributes, onclick: act }, icon(name));
}

function focusedIn(node: HTMLElement): string | null {
  const root = node.getRootNode();
  const active = root instanceof ShadowRoot ? root.activeElement : null;
  return active && node.contains(active) ? active.getAttribute("aria-label") : null;
}

async function copied(button: HTMLElement, texts: string[]): Promise<void> {
  if (!(await copyText(texts.join("\n\n")))) return;
  button.setAttribute("aria-label", strings.copied);
  button.replaceChildren(icon("check"));
  setTimeout(() => {
    button.setAttribute("aria-label", strings.copy);
    button.replaceChildren(icon("copy"));
  }, 1_500);
}
