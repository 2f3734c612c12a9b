/** Widgets: a server's tree of components as nodes of the page. */

import type { WidgetNode } from "./protocol";
import { content, unknown } from "./widgets/content";
import { controls, nameFields } from "./widgets/controls";
import { replaceDrawing } from "./widgets/kept";
import { layout } from "./widgets/layout";
import { wordsOf, type Draw, type Scope, type WidgetContext } from "./widgets/scope";
import { choice, record, text } from "./widgets/values";

export type { WidgetContext };

const COMPONENTS: Readonly<Record<string, Draw>> = { ...layout, ...content, ...controls };
const DEEPEST = 64;

let drawn = 0;

/**
 * A new drawing of the tree. It never throws: a component that is not known, or not as it should be,
 * shows what it says.
 */
export function renderWidget(root: WidgetNode, context: WidgetContext): HTMLElement {
  const prefix = `widget-${++drawn}-`;
  const scope = (depth: number): Scope => ({
    ...context,
    draw: (children) => draw(children, depth + 1),
    field: (name) => prefix + name,
  });

  const draw = (tree: unknown, depth: number): Node[] =>
    [tree].flat().flatMap((child): Node[] => {
      const node = record(child);
      if (node && depth <= DEEPEST) return [component(node, depth)];
      const words = wordsOf(child).join(" ");
      return words ? [document.createTextNode(words)] : [];
    });

  const component = (node: Record<string, unknown>, depth: number): HTMLElement => {
    const type = text(node.type);
    const component = choice(COMPONENTS, type) ?? unknown;
    const element = component({ ...node, type } as WidgetNode, scope(depth));
    element.dataset.widget = type;
    if (text(node.id)) element.dataset.componentId = text(node.id);
    return element;
  };

  const element = component(record(root) ?? { type: "", value: wordsOf(root).join(" ") }, 0);
  element.classList.add("widget");
  nameFields(element);
  return element;
}

/**
 * Draws the tree, in the place of the drawing that the parent has. What a person has filled in or opened
 * stays, and so does the focus, as long as its component keeps its id, name or words.
 */
export function drawWidget(parent: HTMLElement, root: WidgetNode, context: WidgetContext): void {
  const next = renderWidget(root, context);
  const before = parent.querySelector<HTMLElement>(":scope > .widget");
  if (before) replaceDrawing(before, next);
  else parent.replaceChildren(next);
}
