/** The style of the element, and of what it loads later. */

import styles from "./element.css";
import printStyles from "./print.css";
import themeStyles from "./theme.css";

const first = [themeStyles, styles].map(sheetOf);
/** The last word on how all the others look on paper. */
const print = sheetOf(printStyles);

/** Gives the root its style, and these besides. */
export function dress(root: ShadowRoot, more: readonly string[] = []): void {
  root.adoptedStyleSheets = [...first, ...more.map(sheetOf), print];
}

function sheetOf(text: string): CSSStyleSheet {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(text);
  return sheet;
}
