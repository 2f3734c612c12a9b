/** Markdown on the page: CommonMark and GFM without raw HTML, made of nodes, never of markup. */

import { parseBlocks } from "./markdown/blocks";
import { update, type Shown } from "./markdown/render";

/** So many elements are made of what stands within blocks; what follows is shown as it was written. */
const MOST_INLINES = 5_000;

interface View {
  shown: Shown[];
  domains: string;
  open: (address: string) => void;
}

const views = new WeakMap<HTMLElement, View>();

/**
 * Makes host show a Markdown text. Called again with a longer one, it keeps the nodes of what is
 * unchanged. While a text is `growing`, its end is shown as it will most likely become. `open` takes the
 * address of a `chatkit-link://` that a person follows. Pictures of these domains are shown, others are links.
 */
export function renderMarkdown(
  host: HTMLElement,
  source: string,
  open: (address: string) => void,
  growing = false,
  domains: readonly string[] = [],
): void {
  const known = views.get(host);
  const view = known?.domains === domains.join() ? known : start(host, open, domains);
  view.open = open;
  const blocks = parseBlocks(growing ? withoutMarks(source) : source, growing);
  update(host, view.shown, blocks, growing, { left: MOST_INLINES, domains });
}

function start(host: HTMLElement, open: View["open"], domains: readonly string[]): View {
  const view: View = { shown: [], open, domains: domains.join() };
  if (!views.has(host)) host.addEventListener("click", (event) => follow(event, host));
  views.set(host, view);
  host.replaceChildren();
  return view;
}

function follow(event: Event, host: HTMLElement): void {
  const link = event.target instanceof Element && event.target.closest("a[data-address]");
  if (!link) return;
  event.preventDefault();
  views.get(host)?.open(link.getAttribute("data-address") ?? "");
}

/** Longer lines are text; MARKS takes the square of a line's length. */
const LONGEST_MARKS = 200;
const MARKS =
  /^[ \t>]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)*(?:[-|: \t]+|[=*_+#~]+|`{1,2}|(?:`{3,}|~{3,})[^`\n]*|\d{1,9}[.)]?|\[[ xX]?\]?)?[ \t]*$/;

/** A text without a last line of marks only: a `-` is an item, a heading's line or a rule, soon. */
function withoutMarks(source: string): string {
  const start = source.lastIndexOf("\n") + 1;
  const short = source.length - start <= LONGEST_MARKS;
  return short && MARKS.test(source.slice(start)) ? source.slice(0, start) : source;
}
