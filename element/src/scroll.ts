/** Where the scroll stands: at the end while more is said, in its place while more comes before it. */

import { h } from "./dom";

/** So near to the end it stays at the end when more is said. */
const NEAR_PX = 80;
/** So near to the beginning earlier messages are asked for. */
const AHEAD_PX = 800;

/** A row, and where it is seen. */
interface Anchor {
  row: Element;
  top: number;
}

export class Scroll {
  readonly node = h("div", { class: "scroll", tabindex: -1 });
  /** It stays at the end. */
  sticky = true;
  #top = 0;

  constructor(
    column: HTMLElement,
    private readonly moved: () => void,
  ) {
    this.node.append(column);
    this.node.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    // heights change without a draw: fonts and pictures load, far rows get their real size
    const resized = new ResizeObserver(() => {
      if (this.sticky) this.#jump();
      this.moved();
    });
    resized.observe(column);
    resized.observe(this.node);
  }

  get nearBeginning(): boolean {
    return this.node.scrollTop < AHEAD_PX;
  }

  toEnd(): void {
    this.sticky = true;
    this.#jump();
  }

  /** The row at the top of what is seen: it stays where it is when others come before it. */
  anchor(rows: HTMLCollection): Anchor | null {
    const edge = this.node.getBoundingClientRect().top;
    let [low, high] = [0, rows.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (rows[middle]!.getBoundingClientRect().bottom > edge) high = middle;
      else low = middle + 1;
    }
    const row = rows[low];
    return row ? { row, top: row.getBoundingClientRect().top } : null;
  }

  hold({ row, top }: Anchor): void {
    this.node.scrollTop += row.getBoundingClientRect().top - top;
  }

  #scrolled(): void {
    const { scrollTop, scrollHeight, clientHeight } = this.node;
    // going up lets go of the end; coming near it takes hold again
    const near = scrollTop < this.#top ? 4 : NEAR_PX;
    const below = scrollHeight - scrollTop - clientHeight;
    this.sticky = below < near || (this.sticky && scrollTop >= this.#top);
    this.#top = scrollTop;
    this.moved();
  }

  #jump(): void {
    this.node.scrollTop = this.node.scrollHeight;
  }
}
