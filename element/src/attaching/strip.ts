/** The files that are being attached, each as a card: what it is, how far it has come, what can be done. */

import { h, place } from "../dom";
import { icon } from "../icons";
import type { Upload } from "./upload";
import { sizeInWords, words } from "./words";

const THUMB_PX = 80;

export class Strip {
  readonly node = h("ul", { class: "attaching", "aria-label": words.list });
  #cards = new Map<Upload, Card>();

  constructor(private readonly on: { again(upload: Upload): void; remove(upload: Upload): void }) {}

  draw(uploads: readonly Upload[]): void {
    const known = this.#cards;
    this.#cards = new Map(
      uploads.map((upload) => [upload, known.get(upload) ?? this.#card(upload)]),
    );
    for (const card of this.#cards.values()) card.draw();
    const more = this.#cards.size > known.size;
    place(
      this.node,
      [...this.#cards.values()].map(({ node }) => node),
    );
    if (more) this.node.scrollTop = this.node.scrollHeight;
  }

  /** Puts the focus on the card at this place, or the one before it; false if there is none. */
  focus(place: number): boolean {
    const cards = [...this.#cards.values()];
    const card = cards[Math.min(place, cards.length - 1)];
    card?.remove.focus();
    return card !== undefined;
  }

  #card(upload: Upload): Card {
    return new Card(upload, this.on);
  }
}

class Card {
  readonly node = h("li", { class: "card" });
  readonly remove: HTMLButtonElement;
  readonly #about = h("small", { dir: "auto" });
  readonly #bar: HTMLProgressElement;
  readonly #again = h("button", { type: "button", class: "plain" }, words.again);

  constructor(
    private readonly upload: Upload,
    on: { again(upload: Upload): void; remove(upload: Upload): void },
  ) {
    const { name } = upload;
    this.remove = h(
      "button",
      { type: "button", "aria-label": words.remove(name), title: words.remove(name) },
      icon("close"),
    );
    this.remove.addEventListener("click", () => on.remove(upload));
    this.#again.addEventListener("click", () => on.again(upload));
    this.#bar = h("progress", { max: 1, "aria-label": words.uploading(name) });
    const thumb = h("span", { class: "preview" }, icon(isPicture(upload) ? "image" : "document"));
    const called = h("bdi", { title: name }, name);
    const text = h("span", { class: "about" }, called, this.#about, this.#again);
    this.node.append(thumb, text, this.remove, this.#bar);
    if (upload.file && isPicture(upload)) void preview(upload.file, thumb);
  }

  draw(): void {
    const { ready, running, trouble, passing, share, size } = this.upload;
    this.node.dataset.state = ready
      ? "ready"
      : trouble
        ? "failed"
        : running
          ? "running"
          : "waiting";
    const told = trouble ?? (ready || !running ? this.#still(size) : this.#going(size, share));
    if (this.#about.textContent !== told) this.#about.textContent = told;
    this.#again.hidden = !trouble || !passing;
    this.#bar.hidden = ready || trouble !== null;
    // what can't be told is shown to go on
    if (running && (share === null || share === 1)) this.#bar.removeAttribute("value");
    else this.#bar.value = share ?? 0;
  }

  #still(size: number | null): string {
    const { ready, type } = this.upload;
    const what = size === null ? type : sizeInWords(size);
    return ready ? what : `${what} · ${words.waiting}`;
  }

  #going(size: number | null, share: number | null): string {
    const how = share === 1 ? words.looking : share === null ? "…" : `${Math.floor(share * 100)} %`;
    return `${sizeInWords(size ?? 0)} · ${how}`;
  }
}

function isPicture({ type }: Upload): boolean {
  return /^image\/(?:png|jpeg|gif|webp|avif|bmp)$/.test(type);
}

/** Drawn here: no address is made of it, which a page's policy might not let in. */
async function preview(file: File, host: HTMLElement): Promise<void> {
  try {
    const how = { resizeHeight: THUMB_PX, resizeQuality: "medium" } as const;
    const bitmap = await createImageBitmap(file, how);
    const canvas = h("canvas", { width: THUMB_PX, height: THUMB_PX, "aria-hidden": "true" });
    const side = Math.min(bitmap.width, bitmap.height);
    const [x, y] = [(bitmap.width - side) / 2, (bitmap.height - side) / 2];
    canvas.getContext("2d")?.drawImage(bitmap, x, y, side, side, 0, 0, THUMB_PX, THUMB_PX);
    bitmap.close();
    host.replaceChildren(canvas);
  } catch {
    // no picture that this browser can draw: its sign stays
  }
}
