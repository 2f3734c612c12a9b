/** Patience that ends. */

/** What was promised, or a rejection as soon as nobody waits for it any more. */
export function unlessLeft<T>(promised: Promise<T>, left?: AbortSignal): Promise<T> {
  if (!left) return promised;
  return new Promise((resolve, reject) => {
    const leave = () => reject(left.reason as Error);
    if (left.aborted) leave();
    left.addEventListener("abort", leave);
    promised.then(resolve, reject).finally(() => left.removeEventListener("abort", leave));
  });
}

/** What was promised, or a rejection if it takes longer. */
export function within<T>(ms: number, promised: Promise<T>): Promise<T> {
  if (ms === Infinity) return promised;
  return new Promise((resolve, reject) => {
    const tell = () => reject(new Error(`There was no answer for ${ms / 1_000} s.`));
    const timer = setTimeout(tell, ms);
    promised.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
