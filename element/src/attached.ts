/** What a message carries: pictures to be seen, and files by their names. */

import { h, place } from "./dom";
import { addressOf } from "./fresh";
import { icon } from "./icons";
import { eachOf, SHAPES } from "./odd";
import type { Attachment, UserMessageItem } from "./protocol";

interface Picture {
  readonly image: HTMLImageElement;
  /** As it was told with the message. */
  address: string;
}

const pictures = new WeakMap<HTMLElement, Picture>();

/** The files of a message, drawn again when their addresses have changed: what is seen of a picture stays. */
export function attachedFiles(
  before: Element | null,
  name: string,
  item: UserMessageItem,
): Element | null {
  const old = [...(before?.children ?? [])];
  const files = eachOf(name, item.attachments ?? [], SHAPES.file, (file, i) => {
    const known = old[i]?.firstElementChild;
    const address = addressOf(file);
    if (!address) return fileChip(file);
    return known instanceof HTMLElement && pictures.has(known)
      ? moved(known, address)
      : pictureLink(file, address);
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

function pictureLink(file: Attachment, address: string): HTMLElement {
  const how = { loading: "lazy", decoding: "async", referrerpolicy: "no-referrer" };
  const image = h("img", { alt: file.name, ...how });
  const away = { target: "_blank", rel: "noopener noreferrer" };
  const link = h("a", { class: "thumb", "data-file": file.id, ...away }, image);
  pictures.set(link, { image, address: "" });
  image.addEventListener("error", () => {
    link.removeAttribute("href");
    link.replaceChildren(fileChip(file));
  });
  return moved(link, address);
}

/** The picture at its address of now. One that is seen is not loaded again. */
function moved(link: HTMLElement, address: string): HTMLElement {
  const picture = pictures.get(link)!;
  if (picture.address === address) return link;
  picture.address = address;
  link.setAttribute("href", address);
  const { image } = picture;
  if (image.naturalWidth) return link;
  if (image.parentNode !== link) link.replaceChildren(image);
  image.src = address;
  return link;
}
