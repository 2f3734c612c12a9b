/** What a message carries: pictures to be seen, and files by their names. */

import { h, place, safeUrl } from "./dom";
import { icon } from "./icons";
import { eachOf, SHAPES } from "./odd";
import type { Attachment, UserMessageItem } from "./protocol";

/** An address of a picture is good for five minutes at least; one that is older is asked for anew. */
const GOOD_MS = 240_000;

interface Picture {
  readonly image: HTMLImageElement;
  address: string;
  /** Since when it is known. */
  since: number;
  /** It has been asked for anew because it led nowhere. */
  renewed: boolean;
}

const pictures = new WeakMap<HTMLElement, Picture>();
const renewing = new Map<string, Promise<void>>();

/**
 * The files of a message, drawn again when their addresses have changed: what is seen of a picture stays.
 * `renew` reads the message again; null where it carries none.
 */
export function attachedFiles(
  before: Element | null,
  name: string,
  item: UserMessageItem,
  renew: (item: string) => Promise<void>,
): Element | null {
  const old = [...(before?.children ?? [])];
  const again = () => once(item.id, renew);
  const files = eachOf(name, item.attachments ?? [], SHAPES.file, (file, i) => {
    const known = old[i]?.firstElementChild;
    const address = addressOf(file);
    if (!address) return fileChip(file);
    return known instanceof HTMLElement && pictures.has(known)
      ? moved(known, address)
      : pictureLink(file, address, again);
  });
  if (!files.length) return null;
  const attributes = { class: "files", "aria-label": "Attached files" };
  const list = before ?? h("ul", attributes);
  const entries = files.map((file, i) => (old[i]?.contains(file) ? old[i] : h("li", {}, file)));
  place(list, entries);
  return list;
}

/** A file by its name, and what it is. */
export function fileChip({ name, mime_type, type }: Attachment): HTMLElement {
  const what = h("small", {}, kindOf(name, mime_type));
  const mark = icon(type === "image" ? "image" : "document");
  return h("span", { class: "file" }, mark, h("bdi", {}, name), what);
}

/** What a file is in a word: the end of its name, or of its type. */
export function kindOf(name: string, type: string | undefined): string {
  const end = /\.([a-z0-9]{1,5})$/i.exec(name)?.[1] ?? /[^/+.-]*$/.exec(type ?? "")?.[0];
  return (end ?? "").slice(0, 8).toUpperCase();
}

function addressOf({ type, preview_url: address }: Attachment): string | null {
  const safe = type === "image" && address ? safeUrl(address) : null;
  return safe && /^https?:/.test(safe) ? safe : null;
}

function pictureLink(file: Attachment, address: string, again: () => Promise<void>): HTMLElement {
  const how = { loading: "lazy", decoding: "async", referrerpolicy: "no-referrer" };
  const image = h("img", { alt: file.name, ...how });
  const link = h("a", { class: "thumb", target: "_blank", rel: "noopener noreferrer" }, image);
  pictures.set(link, { image, address: "", since: 0, renewed: false });
  image.addEventListener("error", () => void failed(link, file, again));
  link.addEventListener("click", (event) => void follow(event, link, again));
  return moved(link, address);
}

/** The picture at its address of now. One that is seen is not loaded again. */
function moved(link: HTMLElement, address: string): HTMLElement {
  const picture = pictures.get(link)!;
  picture.since = Date.now();
  if (picture.address === address) return link;
  picture.address = address;
  link.setAttribute("href", address);
  const { image } = picture;
  if (image.naturalWidth) return link;
  if (image.parentNode !== link) link.replaceChildren(image);
  image.src = address;
  return link;
}

/** Nothing came from there: it may have been good for a while only. */
async function failed(link: HTMLElement, file: Attachment, again: () => Promise<void>) {
  const picture = pictures.get(link)!;
  const { address, renewed } = picture;
  picture.renewed = true;
  if (!renewed) await again().catch(() => {});
  if (picture.address !== address) return;
  link.removeAttribute("href");
  link.replaceChildren(fileChip(file));
}

async function follow(event: MouseEvent, link: HTMLElement, again: () => Promise<void>) {
  if (Date.now() - pictures.get(link)!.since < GOOD_MS) return;
  event.preventDefault();
  // a window may only be opened at once
  const tab = window.open("about:blank");
  if (tab) tab.opener = null;
  await again().catch(() => {});
  tab?.location.replace(pictures.get(link)!.address);
}

function once(item: string, renew: (item: string) => Promise<void>): Promise<void> {
  const asked = renewing.get(item) ?? renew(item).finally(() => renewing.delete(item));
  renewing.set(item, asked);
  return asked;
}
