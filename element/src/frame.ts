/** When the page is drawn: once a frame, however much has changed. */

/** How long a page in the background may go without a draw. */
const HIDDEN_MS = 250;

/** At the next frame, or soon on a page that has none because nobody sees it. */
export function afterFrame(act: () => void): void {
  let done = false;
  const once = () => {
    if (done) return;
    done = true;
    clearTimeout(timer);
    cancelAnimationFrame(frame);
    act();
  };
  const timer = setTimeout(once, HIDDEN_MS);
  const frame = requestAnimationFrame(once);
}

/** Does something after the next frame, however often it is asked to until then. */
export function onceAFrame(act: () => void): () => void {
  let asked = false;
  return () => {
    if (asked) return;
    asked = true;
    afterFrame(() => {
      asked = false;
      act();
    });
  };
}
