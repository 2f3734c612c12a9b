/** One file on its way: announced and put, or brought at once; it breaks off, is tried again, is taken back. */

import type { ChatKitOptions } from "@openai/chatkit";
import { isRecord } from "../odd";
import type { Attachment } from "../protocol";
import { HostFault, Refusal } from "../refusal";
import type { Session } from "../session";
import { put } from "./putting";
import { words } from "./words";

type Api = ChatKitOptions["api"];
export type Strategy = Extract<Api, { url: string }>["uploadStrategy"];

/** The chat's server, as far as files go. Each throws Refusal. */
export interface Server {
  create(params: { name: string; size: number; mime_type: string }): Promise<unknown>;
  /** Brings a form to an address. */
  bring(url: string, form: FormData, signal: AbortSignal): Promise<unknown>;
  remove(id: string): Promise<unknown>;
  /** What the person is told of an error; null where all is over by it. */
  inWords(error: unknown): string | null;
}

export function serverOf(session: Session): Server {
  const { api } = session;
  return {
    create: (params) => api.json("attachments.create", params),
    bring: async (url, body, signal) => (await api.request(url, { body, signal })).json(),
    remove: (id) => api.json("attachments.delete", { attachment_id: id }),
    inWords: (error) => session.inWords(error, null)?.message ?? null,
  };
}

/** What a server says of an address that is no good any more. */
const NO_GOOD = [403, 404, 409, 410];

export class Upload {
  /** As the server knows it; whole only where `ready`. */
  attachment: Attachment | null = null;
  ready = false;
  running = false;
  /** How much of it is there, from 0 to 1; null where nobody can tell. */
  share: number | null = 0;
  trouble: string | null = null;
  /** Whether it may go better another time. */
  passing = false;
  #left = new AbortController();

  constructor(
    readonly name: string,
    readonly type: string,
    readonly size: number | null,
    readonly file: File | null,
    private readonly changed: () => void,
  ) {}

  /** One that is there already. */
  static of(attachment: Attachment, changed: () => void): Upload {
    const { name, mime_type } = attachment;
    const upload = new Upload(name, mime_type, null, null, changed);
    upload.attachment = attachment;
    upload.ready = true;
    return upload;
  }

  get waiting(): boolean {
    return !this.ready && !this.running && this.trouble === null;
  }

  /** What it was refused for is forgotten: it waits to be brought. */
  again(): void {
    this.trouble = null;
    this.share = 0;
  }

  /** Brings it, in two phases unless that is said otherwise. It ends `ready`, in trouble, or given up. */
  async run(server: Server, strategy: Strategy): Promise<void> {
    if (!this.file) return;
    this.running = true;
    this.changed();
    try {
      await this.#readable(this.file);
      if (strategy?.type === "direct") await this.#direct(this.file, server, strategy.uploadUrl);
      else await this.#inTwoPhases(this.file, server);
      this.ready = true;
    } catch (error) {
      if (this.#left.signal.aborted) return;
      this.passing = error instanceof Refusal && (error.passing || error.status === 401);
      this.trouble = server.inWords(error);
    } finally {
      this.running = false;
      if (this.#left.signal.aborted) this.#takeBack(server);
      this.changed();
    }
  }

  /** Gives it up: nothing of it stays at the server. */
  leave(server: Server): void {
    this.#left.abort();
    if (!this.running) this.#takeBack(server);
  }

  /** A file that was changed since it was chosen can't be read, and breaks like a connection. */
  async #readable(file: File): Promise<void> {
    try {
      await file.slice(0, 1).arrayBuffer();
    } catch {
      throw new Refusal(words.gone, 422);
    }
  }

  async #direct(file: File, server: Server, url: string): Promise<void> {
    this.share = null;
    const form = new FormData();
    form.append("file", file, this.name);
    const { signal } = this.#left;
    this.attachment = known(await server.bring(url, form, signal).catch(unlessJson), url);
  }

  async #inTwoPhases(file: File, server: Server): Promise<void> {
    if (this.attachment) {
      try {
        return await this.#put(this.attachment, file);
      } catch (error) {
        if (!(error instanceof Refusal) || !NO_GOOD.includes(error.status)) throw error;
      }
    }
    const announced = { name: this.name, size: file.size, mime_type: this.type };
    this.attachment = known(await server.create(announced), "attachments.create");
    this.#left.signal.throwIfAborted();
    await this.#put(this.attachment, file);
  }

  async #put({ upload_descriptor: address }: Attachment, file: File): Promise<void> {
    if (!address) return;
    const { signal } = this.#left;
    await put(address, file, (share) => this.#moved(share), signal);
  }

  #moved(share: number): void {
    this.share = share;
    this.changed();
  }

  #takeBack(server: Server): void {
    const { attachment } = this;
    this.attachment = null;
    // what nobody sends is removed by the server in time
    if (attachment) server.remove(attachment.id).catch(() => {});
  }
}

/** The attachment that was answered. Throws HostFault where it is something else. */
function known(answer: unknown, where: string): Attachment {
  if (isRecord(answer) && typeof answer.id === "string") return answer as unknown as Attachment;
  throw new HostFault(`What answers ${where} names no attachment.`);
}

/** What is no JSON names nothing. */
function unlessJson(error: unknown): null {
  if (error instanceof SyntaxError) return null;
  throw error;
}
