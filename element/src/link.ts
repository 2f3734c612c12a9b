/** Links whose words name another place than they lead to. */

import { h, safeUrl } from "./dom";
import { plain } from "./plain";

/** What may be part of a host's name. */
const WORDS = /[\p{L}\p{M}\p{N}.\u3002-]+/gu;
/** A name of a host ends in letters, an address in four numbers. */
const HOST = /[.](?:\p{L}[\p{L}\p{M}\p{N}-]+|\d{1,3}\.\d{1,3}\.\d{1,3})$/u;
/** Ends of names of files that no host's name has. */
const FILE =
  /\.(?:[jt]sx?|json|ya?ml|html?|s?css|txt|csv|pdf|xml|toml|cpp|php|sql|docx?|xlsx?|pptx?|png|jpe?g|gif|svg|vue|ipynb|log|ini|cfg|conf)$/i;

/** The host that a link leads to, where its words name another; else null. */
export function hostBeside(words: string, href: string): string | null {
  if (!/^(?:https?|mailto):/.test(href)) return null;
  const { protocol, hostname, pathname } = new URL(href);
  const host = protocol === "mailto:" ? pathname.slice(pathname.lastIndexOf("@") + 1) : hostname;
  const said = plain(words).normalize("NFKC").replaceAll("\u3002", ".").match(WORDS) ?? [];
  const named = said.map((word) => word.replace(/^[.-]+|[.-]+$/g, ""));
  const other = named.some((name) => HOST.test(name) && !FILE.test(name) && !leadsTo(name, host));
  return other ? host : null;
}

/** Whether whoever reads the name expects this host: it is the same, or below it. */
function leadsTo(name: string, host: string): boolean {
  const address = `//${name}`;
  const named = URL.canParse(address, document.baseURI) && new URL(address, document.baseURI);
  const wanted = named ? bare(named.hostname) : name;
  return `.${bare(host)}`.endsWith(`.${wanted}`);
}

function bare(host: string): string {
  return host.toLowerCase().replace(/^www\./, "");
}

/** A link with these words, and beside it where it leads, if they say otherwise; without a safe address, its words. */
export function link(address: string | undefined, words: string): Node[] {
  const href = address && safeUrl(address);
  if (!href) return [h("span", {}, plain(words))];
  const beside = hostBeside(words, href);
  const node = h("a", { href, target: "_blank", rel: "noopener noreferrer" }, plain(words));
  return beside ? [node, h("span", { class: "host" }, ` (${beside})`)] : [node];
}
