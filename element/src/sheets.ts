/** The style of the element, and of its further files once they are there. */

import styles from "./element.css";
import { all } from "./further";
import themeStyles from "./theme.css";

const first = [themeStyles, styles].map((text) => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(text);
  return sheet;
});

/** Gives the root its style. */
export function dress(root: ShadowRoot): void {
  root.adoptedStyleSheets = [...first, ...all.map(({ sheet }) => sheet)];
}
