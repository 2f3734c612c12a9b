/** Pictures: from where they may come, and what stands for one that is only loaded when somebody asks. */

import { h, safeUrl } from "./dom";
import { icon } from "./icons";
import { scriptOrigin } from "./script";
import { strings } from "./strings";

/** What a person has asked for stays shown when it is drawn again. */
const asked = new Set<string>();

/**
 * The picture, if it is data or comes from one of these domains or below one; else its words, with a button
 * that loads it. What only decorates has no words, and no button.
 */
export function picture(address: string, alt: string, domains: readonly string[]): HTMLElement {
  if (/^data:image\/[a-z+.-]+[;,]/i.test(address)) return image(address, alt);
  const href = address && safeUrl(address);
  if (!href || !/^https?:/.test(href)) return h("span", { class: "missing" }, icon("image"), alt);
  const { hostname } = new URL(href);
  const shown = isAllowed(href, domains) || asked.has(href);
  return shown ? image(href, alt) : inItsPlace(href, hostname, alt);
}

const KEPT = /\/attachments\/(att_[0-9a-f]{32})$/;

/** The id of a file that chatbridge keeps: nobody else learns that it is loaded. Null for anything else. */
export function keptId(address: string): string | null {
  const href = safeUrl(address);
  if (!href) return null;
  const { origin, pathname } = new URL(href);
  return [location.origin, scriptOrigin].includes(origin)
    ? (KEPT.exec(pathname)?.[1] ?? null)
    : null;
}

/** Whether it comes from one of these domains, or from below one, or is kept by chatbridge. */
export function isAllowed(href: string, domains: readonly string[]): boolean {
  if (keptId(href)) return true;
  const { protocol, hostname } = new URL(href);
  const within = (domain: string) => `.${hostname}`.endsWith(`.${domain.toLowerCase()}`);
  return /^https?:$/.test(protocol) && domains.some(within);
}

function image(src: string, alt: string): HTMLImageElement {
  const how = { loading: "lazy", decoding: "async", referrerpolicy: "no-referrer" };
  const node = h("img", { src, alt, ...how });
  // the page's own policy may know better
  node.addEventListener("error", () => {
    if (/^http/.test(src))
      become(node, h("span", { class: "missing" }, icon("image"), alt, way(src)));
  });
  return node;
}

function inItsPlace(href: string, host: string, alt: string): HTMLElement {
  const node = h("span", { class: "missing" }, icon("image"), alt);
  if (!alt) return node;
  const button = h("button", { type: "button", class: "plain" }, strings.showPicture(host));
  button.addEventListener("click", () => {
    asked.add(href);
    become(node, image(href, alt));
  });
  node.append(button);
  return node;
}

function way(href: string): HTMLElement {
  return h("a", { href, target: "_blank", rel: "noopener noreferrer" }, strings.openPicture);
}

/** Puts another in its place, with all that was set on it since. */
function become(node: HTMLElement, next: HTMLElement): void {
  next.classList.add(...[...node.classList].filter((name) => name !== "missing"));
  next.style.cssText = node.style.cssText;
  Object.assign(next.dataset, node.dataset);
  node.replaceWith(next);
}
