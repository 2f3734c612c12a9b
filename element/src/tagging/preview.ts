/** Tags and named sources that can be looked at and clicked, wherever they stand. */

import type { Entity } from "@openai/chatkit";
import { h } from "../dom";
import type { Desk } from "../extras";
import { inTime, words } from "./words";

const SHOWN_AFTER_MS = 250;
const GONE_AFTER_MS = 200;
const EDGE_PX = 8;

export class TagPreview {
  readonly #box = h("div", { class: "tag-preview", role: "tooltip", id: "tag-preview" });
  /** Whose preview it is, or is to be. */
  #of: HTMLElement | null = null;
  #soon: ReturnType<typeof setTimeout> | undefined;
  readonly #met = new WeakSet<HTMLElement>();

  constructor(private readonly desk: Desk) {
    this.#box.popover = "manual";
    this.#box.addEventListener("pointerenter", () => clearTimeout(this.#soon));
    this.#box.addEventListener("pointerleave", () => this.#leave());
  }

  /** The person has come to it, or clicked it. */
  met(node: HTMLElement, how: string, entity: Entity): void {
    const { onClick, onRequestPreview } = this.desk.options().entities ?? {};
    if (how === "click" && onClick) {
      this.close();
      try {
        onClick(entity);
      } catch (error) {
        this.desk.failed(error);
      }
    } else if (onRequestPreview) {
      this.#listen(node);
      clearTimeout(this.#soon);
      if (this.#of === node && this.#box.matches(":popover-open")) return;
      this.close();
      this.#of = node;
      const wait = how === "click" ? 0 : SHOWN_AFTER_MS;
      this.#soon = setTimeout(() => void this.#show(node, entity), wait);
    }
  }

  close(): void {
    clearTimeout(this.#soon);
    this.#of?.removeAttribute("aria-describedby");
    this.#of = null;
    this.#box.remove();
  }

  #listen(node: HTMLElement): void {
    if (this.#met.has(node)) return;
    this.#met.add(node);
    node.addEventListener("pointerleave", () => this.#leave());
    node.addEventListener("blur", () => this.#leave());
    node.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || this.#of !== node) return;
      event.stopPropagation();
      this.close();
    });
  }

  #leave(): void {
    clearTimeout(this.#soon);
    this.#soon = setTimeout(() => this.close(), GONE_AFTER_MS);
  }

  async #show(node: HTMLElement, entity: Entity): Promise<void> {
    const asked = this.desk.options().entities?.onRequestPreview;
    let preview: unknown = null;
    let said = "";
    try {
      preview = asked && (await inTime(asked(entity)))?.preview;
    } catch (error) {
      this.desk.failed(error);
      said = words.noPreview;
    }
    if (this.#of !== node || !node.isConnected || !(preview || said)) return;
    this.#box.replaceChildren(said);
    if (preview) this.desk.paint(this.#box, preview);
    this.desk.above.closest(".chat")?.append(this.#box);
    this.#box.showPopover();
    this.#stand(node);
    node.setAttribute("aria-describedby", this.#box.id);
    if (node.matches(":focus-visible")) this.desk.announce(this.#box.innerText);
    addEventListener("scroll", () => this.close(), { capture: true, once: true });
  }

  /** Above it, or where there is no room below; within the window. */
  #stand(node: HTMLElement): void {
    const at = node.getBoundingClientRect();
    const { width, height } = this.#box.getBoundingClientRect();
    const above = at.top - height - EDGE_PX;
    const left = Math.min(at.left, innerWidth - width - EDGE_PX);
    const top = above >= EDGE_PX ? above : Math.min(at.bottom + EDGE_PX, innerHeight - height);
    this.#box.style.left = `${Math.max(EDGE_PX, left)}px`;
    this.#box.style.top = `${Math.max(0, top)}px`;
  }
}
