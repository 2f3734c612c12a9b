/** How files come to the chat: chosen, dropped, pasted. */

import { h } from "../dom";
import { icon } from "../icons";
import { words } from "./words";

/** What was dropped or pasted. */
export interface Arrived {
  files: File[];
  /** Folders were among it. */
  folders: boolean;
}

/** Has files that are dropped on the chat, or pasted into it, taken while `open` says so. */
export function receive(
  host: HTMLElement,
  over: HTMLElement,
  open: () => boolean,
  take: (arrived: Arrived) => void,
): void {
  const overlay = h("div", { class: "dropping", hidden: true }, icon("document"), words.drop);
  over.append(overlay);
  // a picture of the chat's own is a file to a browser
  let own = false;
  host.addEventListener("dragstart", () => (own = true));
  host.addEventListener("dragend", () => (own = false));
  const drag = (event: DragEvent) => {
    const { dataTransfer: data } = event;
    if (!data?.types.includes("Files") || own || event.defaultPrevented || !open()) return;
    event.preventDefault();
    data.dropEffect = "copy";
    overlay.hidden = event.type === "drop";
    if (event.type === "drop") take(arrived(data));
  };
  // before those that refuse files
  host.addEventListener("dragover", drag, { capture: true });
  host.addEventListener("drop", drag, { capture: true });
  // not every way to give up is told as leaving
  for (const name of ["dragleave", "pointermove"])
    host.addEventListener(name, () => (overlay.hidden = true));
  host.addEventListener("paste", (event) => pasted(event, open, take), { capture: true });
}

function pasted(event: ClipboardEvent, open: () => boolean, take: (arrived: Arrived) => void) {
  const { clipboardData: data } = event;
  if (!data?.types.includes("Files") || event.defaultPrevented || !open()) return;
  const { files, folders } = arrived(data);
  if (isText(data.getData("text/plain"), files)) return;
  event.preventDefault();
  take({ files: files.map(nameless), folders });
}

/** What is copied from an office program is a text and its picture; some systems give the names of files as text. */
function isText(text: string, files: readonly File[]): boolean {
  const names = files.map(({ name }) => name);
  return text.split(/[\r\n]+/).some((line) => line && !names.includes(line));
}

function arrived(data: DataTransfer): Arrived {
  const items = [...data.items].filter(({ kind }) => kind === "file");
  const wanted = items.filter((item) => !item.webkitGetAsEntry()?.isDirectory);
  const files = wanted.map((item) => item.getAsFile()).filter((file) => file !== null);
  return { files, folders: wanted.length < items.length };
}

/** A picture that was copied by itself has no name; browsers say "image.png". */
function nameless(file: File): File {
  if (!/^image\.\w+$/.test(file.name)) return file;
  const end = file.name.slice(file.name.lastIndexOf("."));
  return new File([file], `${words.pasted}${end}`, { type: file.type });
}
