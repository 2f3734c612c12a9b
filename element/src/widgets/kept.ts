/** What a person did to a widget, carried over to its next drawing. */

import { keptId } from "../picture";

const HANDLES = 'details, summary, input, select, textarea, button, [data-widget="ListView"]';

/** Puts the next drawing in the place of this one: fields, open parts and the focus stay as they are. */
export function replaceDrawing(before: HTMLElement, next: HTMLElement): void {
  const page = before.getRootNode() as Document | ShadowRoot;
  const focused = page.activeElement;
  const again = handles(next);
  let focus: HTMLElement | null = null;
  for (const [key, element] of handles(before)) {
    const same = again.get(key);
    if (!same) continue;
    keep(element, same);
    if (element === focused) focus = same;
  }
  for (const audio of next.querySelectorAll("audio")) {
    const same = [...before.querySelectorAll("audio")].find((old) => isSame(old, audio));
    if (same && !same.error) audio.replaceWith(same);
  }
  before.replaceWith(next);
  if (!focus) return;
  focus.focus({ preventScroll: true });
  if (isText(focused) && isText(focus) && focused.selectionStart !== null)
    focus.setSelectionRange(focused.selectionStart, focused.selectionEnd);
}

/** What can be used, each by its kind, its id, name or words, and its turn among its equals. */
function handles(root: HTMLElement): Map<string, HTMLElement> {
  const found = new Map<string, HTMLElement>();
  const turns = new Map<string, number>();
  for (const element of [root, ...root.querySelectorAll<HTMLElement>(HANDLES)]) {
    const { componentId, name } = element.dataset;
    const words = element.localName === "button" ? element.textContent : "";
    const key = `${element.localName} ${componentId ?? name ?? words}`;
    const turn = (turns.get(key) ?? 0) + 1;
    turns.set(key, turn);
    found.set(`${key} ${turn}`, element);
  }
  return found;
}

/** The same recording, also at an address of another time. */
const isSame = (one: HTMLAudioElement, other: HTMLAudioElement): boolean =>
  keptId(one.src) === keptId(other.src);

/** A field keeps what was filled in, unless the server now begins it with something else. */
function keep(old: HTMLElement, next: HTMLElement): void {
  if (old instanceof HTMLDetailsElement && next instanceof HTMLDetailsElement) {
    next.open = old.open;
  } else if (old instanceof HTMLSelectElement && next instanceof HTMLSelectElement) {
    if (begins(old) === begins(next) && old.value !== begins(old)) next.value = old.value;
  } else if (isText(old) && isText(next)) {
    if (old.defaultValue === next.defaultValue) next.value = old.value;
  } else if (old instanceof HTMLInputElement && next instanceof HTMLInputElement) {
    if (old.defaultChecked === next.defaultChecked) next.checked = old.checked;
  } else if (old.dataset.expanded !== undefined) {
    next.querySelector<HTMLElement>(":scope > .more")?.click();
  }
}

const begins = (select: HTMLSelectElement): string | undefined =>
  select.querySelector<HTMLOptionElement>("option[selected]")?.value;

function isText(node: unknown): node is HTMLInputElement | HTMLTextAreaElement {
  const field = node instanceof HTMLInputElement && !["checkbox", "radio"].includes(node.type);
  return field || node instanceof HTMLTextAreaElement;
}
