/** Addresses of files are signed, and good for minutes: one that is no good any more is asked for anew. */

import { safeUrl } from "./dom";
import { keptId } from "./picture";
import type { Attachment, ThreadItem } from "./protocol";

/** An address is good for five minutes at least; one that is older is asked for anew. */
const GOOD_MS = 240_000;
/** One that could not be had is asked for again after so long. */
const PAUSE_MS = 5_000;

/** The nodes that lead to files. */
type Leading = HTMLAnchorElement | HTMLAudioElement | HTMLImageElement;
type Renew = () => Promise<readonly ThreadItem[]>;

/** An item's node: since when it is drawn, and what reads the item again. */
const drawn = new WeakMap<HTMLElement, { readonly since: number; renew: Renew }>();
/** What was told since, by the ids of files; null: that one can't be had just now. */
const told = new Map<string, { readonly address: string | null; readonly until: number }>();
let asking: Promise<void> | null = null;

/** Whatever leads to a file below this node does so after hours. To be called whenever that is drawn. */
export function keepFresh(article: HTMLElement, renew: Renew): void {
  const known = drawn.get(article);
  if (known) known.renew = renew;
  else {
    drawn.set(article, { since: Date.now(), renew });
    // what fails tells it to nobody above, and in the end shows words in its own place
    article.addEventListener("error", (event) => void failed(event, article), true);
    article.addEventListener("click", (event) => void follow(event, article), true);
  }
  if (told.size) refresh(article);
}

/** Where a message's picture is seen; null for any other file. */
export function addressOf({ type, preview_url: address }: Attachment): string | null {
  const safe = type === "image" && address ? safeUrl(address) : null;
  return safe && /^https?:/.test(safe) ? safe : null;
}

async function failed(event: Event, article: HTMLElement): Promise<void> {
  const node = event.target as Leading;
  const id = idOf(node);
  const before = placeOf(node);
  const known = id && good(id);
  if (!id || (known && (known.address ?? before) === before)) return;
  event.stopPropagation();
  await renewed(id, article);
  if (placeOf(node) === before) node.dispatchEvent(new Event("error"));
}

async function follow(event: Event, article: HTMLElement): Promise<void> {
  const link = (event.target as Element).closest("a");
  const id = link && idOf(link);
  if (!id) return;
  // it may have been told for another item
  if (good(id)) return refresh(article);
  if (Date.now() - drawn.get(article)!.since < GOOD_MS) return;
  event.preventDefault();
  await renewed(id, article);
  link.click();
}

/** Whatever leads to the file does so by an address of now, as far as there is one. */
async function renewed(id: string, article: HTMLElement): Promise<void> {
  // what one asks for is told of others as well
  while (asking) await asking;
  if (!good(id)) {
    asking = drawn
      .get(article)!
      .renew()
      .then(note, () => {});
    await asking;
    asking = null;
  }
  if (!good(id)) told.set(id, { address: null, until: Date.now() + PAUSE_MS });
  refresh(article);
}

const KEPT = /https?:\/\/[^\s"'()<>\\]+\/attachments\/att_[0-9a-f]{32}\?[^\s"'()<>\\]+/g;

function note(items: readonly ThreadItem[]): void {
  const until = Date.now() + GOOD_MS;
  const tell = (id: string | null, address: string | null) =>
    id && address && told.set(id, { address, until });
  for (const [address] of JSON.stringify(items).matchAll(KEPT)) tell(keptId(address), address);
  for (const item of items)
    if (item.type === "user_message")
      for (const file of item.attachments ?? []) tell(file.id, addressOf(file));
}

function good(id: string) {
  const known = told.get(id);
  return known && Date.now() < known.until ? known : null;
}

/** What is seen or heard already stays as it is. */
function refresh(article: HTMLElement): void {
  for (const node of article.querySelectorAll<Leading>("a[href], audio, img")) {
    const id = idOf(node);
    const address = id && good(id)?.address;
    if (!address || address === placeOf(node)) continue;
    if (node instanceof HTMLAnchorElement) node.href = address;
    else if (node instanceof HTMLAudioElement) playAt(node, address);
    else if (!node.naturalWidth) node.src = address;
  }
}

function playAt(audio: HTMLAudioElement, address: string): void {
  if (!audio.error && audio.readyState) return;
  const { currentTime, paused } = audio;
  audio.src = address;
  audio.currentTime = currentTime;
  if (!paused) audio.play().catch(() => {});
}

const placeOf = (node: Leading): string =>
  node instanceof HTMLAnchorElement ? node.href : node.src;

/** The file's id: of a message's picture it is known, of what chatbridge keeps it is part of the address. */
function idOf(node: Leading): string | null {
  return node.closest<HTMLElement>(".thumb")?.dataset.file ?? keptId(placeOf(node) ?? "");
}
