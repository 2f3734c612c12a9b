/** What tags say in words, and how long the page is waited for. */

export const words = {
  tag: "Tag",
  tags: "Tags",
  search: "Type to search",
  searching: "Searching",
  nothing: "No matches",
  failed: "The search has failed. Type on to try again.",
  slow: "The search does not answer. Type on to try again.",
  noPreview: "The preview can't be shown.",
  tagged: (title: string) => `Tagged: ${title}`,
};

const PATIENCE_MS = 8_000;

/** The page has not answered. */
export class TooSlow extends Error {
  override name = "TooSlow";
}

/** What the page brings. Throws TooSlow where it brings nothing for long. */
export function inTime<T>(promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = new TooSlow("A function of the page's `entities` does not answer.");
    const timer = setTimeout(() => reject(late), PATIENCE_MS);
    Promise.resolve(promise)
      .finally(() => clearTimeout(timer))
      .then(resolve, reject);
  });
}
