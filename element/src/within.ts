/** Patience that ends. */

/** What was promised, or a rejection if it takes longer. */
export function within<T>(ms: number, promised: Promise<T>): Promise<T> {
  if (ms === Infinity) return promised;
  return new Promise((resolve, reject) => {
    const tell = () => reject(new Error(`There was no answer for ${ms / 1_000} s.`));
    const timer = setTimeout(tell, ms);
    promised.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
