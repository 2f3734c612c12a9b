/** What the browser suite reaches by itself, as the global `modules`. */

import "../src/icons-data";

export { renderMarkdown } from "../src/markdown";
export { parseBlocks } from "../src/markdown/blocks";
export { parseInline } from "../src/markdown/inline";
export { ThreadState } from "../src/state";
export { serverSentEvents } from "../src/stream";
export { drawWidget, renderWidget } from "../src/widgets";
export { icon } from "../src/icons";
export { applyTheme } from "../src/theme";
export { default as themeStyles } from "../src/theme.css";
export { default as widgetStyles } from "../src/widgets.css";
export { default as elementStyles } from "../src/element.css";
export { default as itemStyles } from "../src/items.css";
