/** Files in the composer: chosen, dropped or pasted, on their way, and what goes along with a message. */

import type { Attachment as ChatKitAttachment, ChatKitOptions } from "@openai/chatkit";
import { receive, type Arrived } from "./attaching/arriving";
import { offered, refusal, type Limits } from "./attaching/limits";
import { Strip } from "./attaching/strip";
import { serverOf, Upload, type Server } from "./attaching/upload";
import { words } from "./attaching/words";
import { h, place } from "./dom";
import type { Brought, ComposerValue, Desk, Doing, Extra } from "./extras";
import { iconButton } from "./icons";
import { IntegrationError } from "./options";
import type { Attachment } from "./protocol";
import styles from "./attaching.css";

export { styles };

/** More at once would leave the chat's own requests without a connection. */
const AT_ONCE = 3;

/** What files are called where systems and browsers are known to be wrong. */
const TYPES: readonly (readonly [RegExp, string])[] = [
  [/\.csv$/i, "text/csv"],
  [/\.(?:md|markdown)$/i, "text/markdown"],
  [/\.[cm]?tsx?$/i, "text/plain"],
];

export function extra(desk: Desk): Extra {
  return new Attaching(desk);
}

class Attaching implements Extra {
  #uploads: Upload[] = [];
  /** It was said why a message waits. */
  #waited = false;
  /** All that may be running, of other threads too. */
  readonly #running = new Set<Upload>();
  readonly #server: Server;
  readonly #strip: Strip;
  readonly #input = h("input", { type: "file", hidden: true, tabindex: -1, "aria-hidden": "true" });
  readonly #button = iconButton("plus", words.attach);

  constructor(private readonly desk: Desk) {
    this.#server = serverOf(desk.session);
    this.#strip = new Strip({
      again: (upload) => this.#again(upload),
      remove: (upload) => this.#remove(upload),
    });
    this.#button.addEventListener("click", () => this.#input.click());
    this.#input.addEventListener("change", () => {
      this.#add([...(this.#input.files ?? [])]);
      this.#input.value = "";
      this.desk.focus();
    });
    this.#receive();
  }

  get #limits(): Limits | null {
    const { attachments } = this.desk.options().composer ?? {};
    return attachments?.enabled ? attachments : null;
  }

  draw(_options: ChatKitOptions): void {
    const limits = this.#limits;
    if (this.desk.session.over) this.#leaveAll();
    this.#button.disabled = this.desk.locked;
    this.#input.multiple = limits?.maxCount !== 1;
    this.#input.accept = limits ? offered(limits) : "";
    this.#strip.draw(this.#uploads);
    // an empty box takes no room
    place(this.desk.start, limits ? [this.#button, this.#input] : []);
    place(this.desk.above, this.#uploads.length ? [this.#strip.node] : []);
  }

  get doings(): Doing[] {
    const { attach: label } = words;
    const act = () => this.#input.click();
    return this.#limits ? [{ id: "attach", label, icon: "plus", act }] : [];
  }

  get waits(): string | null {
    const why = this.#why;
    this.#waited = why !== null;
    return why;
  }

  get #why(): string | null {
    const failed = this.#uploads.find(({ trouble }) => trouble !== null);
    if (failed) return words.mend(failed.name);
    return this.#uploads.every(({ ready }) => ready) ? null : words.wait;
  }

  get enough(): boolean {
    return this.#uploads.length > 0;
  }

  brings(text: string): Brought {
    const attachments = this.#uploads.map(({ attachment }) => shown(attachment!));
    if (!attachments.length) return {};
    return text.trim() ? { attachments } : { content: [], attachments };
  }

  take(): Upload[] | null {
    const held = this.#uploads;
    this.#uploads = [];
    return held.length ? held : null;
  }

  put(held: unknown): void {
    this.#uploads = [...((held as Upload[] | null) ?? []), ...this.#uploads];
    this.#next();
    this.desk.changed();
  }

  set({ attachments, files }: ComposerValue): void {
    if (!this.#limits)
      throw new IntegrationError("setComposerValue needs composer.attachments to be enabled.");
    if (attachments) this.#replace(attachments);
    if (files) this.#add(files);
  }

  /** What the page has brought is the page's: it may be set again. */
  #replace(attachments: readonly Attachment[]): void {
    const known = new Map(this.#uploads.map((upload) => [upload.attachment?.id, upload]));
    const wanted = attachments.map(
      (one) => known.get(one.id) ?? Upload.of(one, () => this.desk.changed()),
    );
    for (const upload of this.#uploads)
      if (upload.file && !wanted.includes(upload)) upload.leave(this.#server);
    this.#uploads = wanted;
    this.desk.changed();
  }

  #receive(): void {
    const root = this.desk.above.getRootNode() as ShadowRoot;
    const over = root.querySelector<HTMLElement>(".chat")!;
    const open = () => this.#limits !== null && !this.desk.locked;
    receive(root.host as HTMLElement, over, open, (arrived) => this.#arrived(arrived));
  }

  #arrived({ files, folders }: Arrived): void {
    this.#add(files, folders ? [words.folder] : []);
    this.desk.focus();
  }

  /** Begins to bring those that may be attached, and says why the others may not. */
  #add(files: readonly File[], refused: string[] = []): void {
    const limits = this.#limits;
    if (!limits) return;
    for (const file of files) {
      const type = typeOf(file);
      const why = refusal(file, type, limits, this.#uploads.length);
      if (why) refused.push(why);
      else this.#uploads.push(this.#upload(file, type));
    }
    this.desk.note([...new Set(refused)].join(" "));
    this.#next();
    this.desk.changed();
  }

  #upload(file: File, type: string): Upload {
    return new Upload(file.name, type, file.size, file, () => this.desk.changed());
  }

  #next(): void {
    for (const upload of this.#uploads) {
      if (this.#running.size >= AT_ONCE) return;
      if (upload.waiting) void this.#run(upload);
    }
  }

  async #run(upload: Upload): Promise<void> {
    const { api } = this.desk.options();
    this.#running.add(upload);
    await upload.run(this.#server, "uploadStrategy" in api ? api.uploadStrategy : undefined);
    this.#running.delete(upload);
    const { name, ready, trouble } = upload;
    if (ready) this.desk.announce(words.attached(name));
    else if (trouble) this.desk.announce(words.failed(name, trouble));
    this.#next();
    // what was said of waiting is true no more
    if (this.#waited && !this.#why) this.desk.note("");
  }

  #again(upload: Upload): void {
    upload.again();
    this.#next();
    this.desk.changed();
    this.#strip.focus(this.#uploads.indexOf(upload));
  }

  #remove(upload: Upload): void {
    const at = this.#uploads.indexOf(upload);
    this.#uploads.splice(at, 1);
    upload.leave(this.#server);
    this.#next();
    this.desk.changed();
    this.desk.announce(words.removed(upload.name));
    if (!this.#strip.focus(at)) this.desk.focus();
  }

  #leaveAll(): void {
    for (const upload of [...this.#uploads, ...this.#running]) upload.leave(this.#server);
    this.#uploads = [];
  }
}

function typeOf({ name, type }: File): string {
  const known = TYPES.find(([pattern]) => pattern.test(name))?.[1];
  return known ?? (type || "application/octet-stream");
}

/** As a message shows it. What went straight to a bucket can be seen when its message is kept. */
function shown({ id, name, mime_type, ...attachment }: Attachment): ChatKitAttachment {
  const { preview_url, upload_descriptor: way } = attachment;
  const straight = preview_url && way && new URL(way.url).origin !== new URL(preview_url).origin;
  return preview_url && !straight
    ? { type: "image", id, name, mime_type, preview_url }
    : { type: "file", id, name, mime_type };
}
