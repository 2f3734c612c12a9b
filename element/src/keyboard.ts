/** What a key means on this keyboard, beyond its name. */

/**
 * The key belongs to a word that is being composed (Japanese, Chinese, Korean): Enter ends the word, Escape
 * drops it. In Safari the word has ended when the key is told, and only the number says what it was.
 */
function composes(event: KeyboardEvent): boolean {
  return event.isComposing || event.keyCode === 229;
}

/** The keyboard is on the screen: it has an Enter and no Shift+Enter. */
export function onScreen(): boolean {
  return matchMedia("(pointer: coarse)").matches;
}

/** Keeps such keys from all that is inside: they are the input method's. */
export function keepWords(root: EventTarget): void {
  // before any field hears of them
  root.addEventListener(
    "keydown",
    (event) => {
      if (event instanceof KeyboardEvent && composes(event)) event.stopPropagation();
    },
    { capture: true },
  );
}
