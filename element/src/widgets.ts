/** Widgets: a server's tree of components as nodes of the page. */

import type { WidgetNode } from "./protocol";
import { content, unknown } from "./widgets/content";
import { controls, nameFields } from "./widgets/controls";
import { replaceDrawing } from "./widgets/kept";
import { isDetails, layout } from "./widgets/layout";
import { wordsOf, type Draw, type Scope, type WidgetContext } from "./widgets/scope";
import { choice, record, text } from "./widgets/values";

export type { WidgetContext };

const COMPONENTS: Readonly<Record<string, Draw>> = { ...layout, ...content, ...controls };
const DEEPEST = 64;

/** Containers of which a part can be drawn anew by itself: their own look depends on none of their parts. */
const APART: ReadonlySet<string> = new Set(["Basic", "Box", "Card", "Col", "Row"]);

let drawn = 0;

/**
 * A drawing of a tree. It never throws: a component that is not known, or not as it should be, shows what
 * it says.
 */
class Drawing {
  readonly element: HTMLElement;
  readonly #prefix = `widget-${++drawn}-`;
  readonly #elements = new WeakMap<object, HTMLElement>();
  #root: WidgetNode;
  #context: WidgetContext;

  constructor(root: WidgetNode, context: WidgetContext) {
    this.#root = root;
    this.#context = context;
    const node = record(root) ?? { type: "", value: wordsOf(root).join(" ") };
    this.element = this.#component(node, 0);
    this.element.classList.add("widget");
    if (context.waits) this.element.setAttribute("aria-busy", "true");
    nameFields(this.element);
  }

  /** Draws what is not the same object any more; false: all has to be drawn anew. */
  update(root: WidgetNode, context: WidgetContext): boolean {
    if (lookOf(this.#context) !== lookOf(context)) return false;
    const before = this.#root;
    this.#context = context;
    this.#root = root;
    if (!this.#changed(before, root, 0)) return false;
    nameFields(this.element);
    return true;
  }

  #changed(before: unknown, now: unknown, depth: number): boolean {
    if (before === now) return true;
    const [old, next] = [record(before), record(now)];
    const element = old && this.#elements.get(old);
    if (!old || !next || !element) return false;
    if (this.#partsChanged(old, next, depth)) {
      this.#elements.set(next, element);
      return true;
    }
    if (!depth || depth > DEEPEST) return false;
    replaceDrawing(element, this.#component(next, depth));
    return true;
  }

  /** Draws the parts of a container that has changed in nothing else; false: it has, or it can't be. */
  #partsChanged(
    old: Record<string, unknown>,
    next: Record<string, unknown>,
    depth: number,
  ): boolean {
    const whole = old.collapsed === true || old.asForm === true;
    if (!APART.has(text(old.type)) || whole || !sameButParts(old, next)) return false;
    const [parts, others] = [[old.children].flat(), [next.children].flat()];
    return (
      ![...parts, ...others].some(isDetails) &&
      parts.length === others.length &&
      parts.every((part, i) => this.#changed(part, others[i], depth + 1))
    );
  }

  #draw(tree: unknown, depth: number): Node[] {
    return [tree].flat().flatMap((child): Node[] => {
      const node = record(child);
      if (node && depth <= DEEPEST) return [this.#component(node, depth)];
      const words = wordsOf(child).join(" ");
      return words ? [document.createTextNode(words)] : [];
    });
  }

  #component(node: Record<string, unknown>, depth: number): HTMLElement {
    const type = text(node.type);
    const component = choice(COMPONENTS, type) ?? unknown;
    const element = component({ ...node, type } as WidgetNode, this.#scope(depth));
    element.dataset.widget = type;
    if (text(node.id)) element.dataset.componentId = text(node.id);
    this.#elements.set(node, element);
    return element;
  }

  #scope(depth: number): Scope {
    return {
      ...this.#context,
      // the item that acts is the latest
      act: (asked) => this.#context.act(asked),
      draw: (children) => this.#draw(children, depth + 1),
      field: (name) => this.#prefix + name,
    };
  }
}

const lookOf = ({ busy, allowedImageDomains, running, waits }: WidgetContext): string =>
  JSON.stringify([busy, allowedImageDomains, running, waits]);

function sameButParts(old: Record<string, unknown>, next: Record<string, unknown>): boolean {
  const members = new Set([...Object.keys(old), ...Object.keys(next)]);
  members.delete("children");
  return [...members].every(
    (member) => JSON.stringify(old[member]) === JSON.stringify(next[member]),
  );
}

/** A new drawing of the tree. */
export function renderWidget(root: WidgetNode, context: WidgetContext): HTMLElement {
  return new Drawing(root, context).element;
}

const drawings = new WeakMap<HTMLElement, Drawing>();

/**
 * Draws the tree, in the place of the drawing that the parent has, and of that only what has changed. What a
 * person has filled in or opened stays, and so does the focus, as long as its component keeps its id, name
 * or words.
 */
export function drawWidget(parent: HTMLElement, root: WidgetNode, context: WidgetContext): void {
  const before = parent.querySelector<HTMLElement>(":scope > .widget");
  const known = drawings.get(parent);
  if (known && known.element === before && known.update(root, context)) return;
  const next = new Drawing(root, context);
  drawings.set(parent, next);
  if (before) replaceDrawing(before, next.element);
  else parent.replaceChildren(next.element);
}
