/** The messages: as many nodes as there are items, and only what has changed is drawn again. */

import { h, place } from "./dom";
import { icon } from "./icons";
import { drawItem, textOf, type Surroundings } from "./items";
import type { ThreadItem, UserMessageItem } from "./protocol";
import type { Feedback, Session } from "./session";
import { strings } from "./strings";

export interface LogActions {
  feedback: boolean;
  retry: boolean;
}

interface Row {
  item: ThreadItem;
  busy: boolean;
  article: HTMLElement;
  visible: boolean;
}

/** The assistant's items after one message of the person's. */
interface Answered {
  asked: UserMessageItem | null;
  items: ThreadItem[];
}

export class Log {
  readonly node = h("div", { role: "log", "aria-label": strings.messages, "aria-live": "off" });
  #rows = new Map<string, Row>();
  #footers = new Map<string, { key: string; node: HTMLElement }>();

  constructor(private readonly session: Session) {}

  /** Draws what has changed since the last time. */
  draw(around: Surroundings, actions: LogActions): void {
    const { items } = this.session.state;
    for (const id of this.#rows.keys()) if (!items.has(id)) this.#rows.delete(id);
    const wanted: Node[] = [];
    let turn: Answered = { asked: null, items: [] };
    for (const item of items.values()) {
      if (item.type === "user_message") {
        wanted.push(...this.#footer(turn, actions, true));
        turn = { asked: item, items: [] };
      } else {
        turn.items.push(item);
      }
      const row = this.#row(item, around);
      if (row.visible) wanted.push(row.article);
    }
    wanted.push(...this.#footer(turn, actions, !this.session.busy));
    place(this.node, wanted);
    this.node.setAttribute("aria-busy", String(this.session.busy));
  }

  #row(item: ThreadItem, around: Surroundings): Row {
    const known = this.#rows.get(item.id);
    const sensitive = item.type === "widget" || item.type === "structured_input";
    if (known?.item === item && (!sensitive || known.busy === around.busy)) return known;
    const article = known?.item.type === item.type ? known.article : emptyArticle(item);
    const row = { item, busy: around.busy, article, visible: drawItem(article, item, around) };
    this.#rows.set(item.id, row);
    return row;
  }

  /** What can be done with an answer, once it is whole. */
  #footer({ asked, items }: Answered, { feedback, retry }: LogActions, whole: boolean): Node[] {
    const said = items.filter((item) => item.type === "assistant_message");
    const last = said.at(-1);
    if (!last || !whole) return [];
    const ids = said.map((item) => item.id);
    const rated = this.session.feedback.get(last.id) ?? "";
    const key = [rated, feedback, retry && asked?.id, ...ids].join(" ");
    const known = this.#footers.get(last.id);
    if (known?.key === key) return [known.node];
    const button = (name: string, label: string, act: () => void, pressed?: boolean) => {
      const node = h("button", { type: "button", "aria-label": label, title: label }, icon(name));
      if (pressed !== undefined) node.setAttribute("aria-pressed", String(pressed));
      node.addEventListener("click", act);
      return node;
    };
    const rate = (kind: Feedback, name: string, label: string) =>
      button(name, label, () => void this.session.rate(ids, kind), rated === kind);
    const copy = button("copy", strings.copy, () => void copied(copy, said.map(textOf)));
    const node = h("div", { class: "actions", role: "group" }, copy);
    if (feedback) {
      node.append(rate("positive", "thumb-up", strings.good));
      node.append(rate("negative", "thumb-down", strings.bad));
    }
    if (retry && asked) {
      node.append(button("retry", strings.again, () => void this.session.retry(asked.id)));
    }
    const focused = known && focusedIn(known.node);
    this.#footers.set(last.id, { key, node });
    if (known?.node.isConnected) known.node.replaceWith(node);
    if (focused) node.querySelector<HTMLElement>(`[aria-label="${focused}"]`)?.focus();
    return [node];
  }
}

function emptyArticle(item: ThreadItem): HTMLElement {
  const by = item.type === "user_message" ? strings.you : strings.assistant;
  return h("article", {
    "aria-label": by,
    "data-item-id": item.id,
    "data-item-type": item.type,
  });
}

function focusedIn(node: HTMLElement): string | null {
  const root = node.getRootNode();
  const active = root instanceof ShadowRoot ? root.activeElement : null;
  return active && node.contains(active) ? active.getAttribute("aria-label") : null;
}

async function copied(button: HTMLElement, texts: string[]): Promise<void> {
  try {
    await navigator.clipboard.writeText(texts.join("\n\n"));
  } catch {
    return;
  }
  button.setAttribute("aria-label", strings.copied);
  button.replaceChildren(icon("check"));
  setTimeout(() => {
    button.setAttribute("aria-label", strings.copy);
    button.replaceChildren(icon("copy"));
  }, 1_500);
}
