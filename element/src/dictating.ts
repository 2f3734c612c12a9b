/** Dictation: what the person says stands in the text, where the caret is. */

import { h, place } from "./dom";
import type { Desk, Extra } from "./extras";
import { iconButton } from "./icons";
import { Recording, Unheard } from "./dictating/microphone";
import styles from "./dictating.css";

export { styles };

const WORDS = {
  dictate: "Dictate",
  cancel: "Cancel dictation",
  again: "Write it down again",
  recording: "Recording. Press the button again when you have finished.",
  writing: "Transcribing…",
  cancelled: "Nothing was written down.",
  waits: "Finish the dictation first.",
  full: "That is the longest recording: what was said until here is written down.",
  nothing: "Nothing was heard. Please try again.",
  failed: "What you said could not be written down. Please try again.",
};
const LOOK_MS = 100;

export const extra = (desk: Desk): Extra => new Dictating(desk);

class Dictating implements Extra {
  readonly #button = this.#iconButton("mic", WORDS.dictate, () => this.#pressed());
  readonly #cancelButton = this.#iconButton("close", WORDS.cancel, () => this.#cancelled());
  readonly #againButton = this.#iconButton("reload", WORDS.again, () => this.#again());
  readonly #time = h("span", { class: "dictating", role: "timer" });
  readonly #level = h("span", { class: "level", "aria-hidden": "true" });
  /** What goes on; another one has begun, or none, where it is not this any more. */
  #task: AbortController | null = null;
  #recording: Recording | null = null;
  /** What nobody could write down yet. */
  #left: Blob | null = null;

  constructor(private readonly desk: Desk) {
    this.#button.ariaPressed = "false";
    desk.end.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && this.key(event)) event.stopPropagation();
    });
  }

  get #on(): boolean {
    return this.desk.options().composer?.dictation?.enabled === true;
  }

  get doings() {
    if (!this.#on) return [];
    return [{ id: "dictate", label: WORDS.dictate, icon: "mic", act: () => this.#pressed() }];
  }

  get waits(): string | null {
    return this.#task ? WORDS.waits : null;
  }

  draw(): void {
    if (this.#task && (!this.#on || this.desk.locked)) this.#giveUp();
    this.#button.disabled = this.desk.locked;
    this.#button.ariaPressed = String(this.#recording !== null);
    this.#button.ariaDisabled = String(this.#task !== null && !this.#recording);
    place(this.desk.end, [
      ...(this.#recording ? [this.#level] : []),
      ...(this.#task ? [this.#time, this.#cancelButton] : []),
      ...(this.#left ? [this.#againButton] : []),
      ...(this.#on ? [this.#button] : []),
    ]);
  }

  key({ key }: KeyboardEvent): boolean {
    if (key !== "Escape" || !this.#task) return false;
    this.#cancelled();
    return true;
  }

  // what is said is for the thread in which it is said
  take(): void {
    this.#giveUp();
  }

  #pressed(): void {
    if (this.#recording) this.#recording.stop();
    else if (!this.#task) void this.#run((task) => this.#listen(task));
  }

  #again(): void {
    const audio = this.#left;
    this.desk.focus();
    if (audio && !this.#task) void this.#run((task) => this.#write(audio, task));
  }

  #cancelled(): void {
    this.#giveUp();
    this.desk.focus();
    this.desk.announce(WORDS.cancelled);
  }

  #giveUp(): void {
    this.#task?.abort();
    this.#recording?.drop();
    const had = this.#task ?? this.#left;
    this.#task = this.#recording = this.#left = null;
    if (had) this.desk.changed();
  }

  async #run(work: (task: AbortController) => Promise<void>): Promise<void> {
    const task = (this.#task = new AbortController());
    this.#time.textContent = "";
    this.desk.note("");
    this.desk.changed();
    try {
      await work(task);
    } catch (error) {
      if (!task.signal.aborted) this.#failed(error);
    }
    if (this.#task !== task) return;
    this.#task = null;
    this.desk.changed();
  }

  async #listen(task: AbortController): Promise<void> {
    const recording = await Recording.begin();
    // the person may have been asked for long
    if (task.signal.aborted) return recording.drop();
    this.#recording = recording;
    this.desk.changed();
    this.desk.announce(WORDS.recording);
    const looking = setInterval(() => this.#look(recording), LOOK_MS);
    this.#look(recording);
    const audio = await recording.audio.finally(() => {
      clearInterval(looking);
      if (this.#recording === recording) this.#recording = null;
    });
    if (!audio || task.signal.aborted) return;
    if (recording.full) this.desk.note(WORDS.full);
    await this.#write(audio, task);
  }

  /** Shows that it goes on, as long as the chat is seen. */
  #look(recording: Recording): void {
    const seconds = Math.floor(recording.ms / 1_000);
    const shown = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
    if (this.#time.textContent !== shown) this.#time.textContent = shown;
    this.#level.style.setProperty("--level", String(recording.level));
    if (!this.desk.end.isConnected || !this.#button.checkVisibility()) this.#giveUp();
    else if (document.hidden) recording.stop();
  }

  async #write(audio: Blob, task: AbortController): Promise<void> {
    this.#left = null;
    this.#time.textContent = WORDS.writing;
    this.desk.changed();
    this.desk.announce(WORDS.writing);
    const params = { audio_base64: await base64(audio), mime_type: audio.type };
    try {
      const { api } = this.desk.session;
      const { text } = await api.json("input.transcribe", params, task.signal);
      if (task.signal.aborted) return;
      if (typeof text !== "string") throw new Unheard(WORDS.failed);
      if (!text.trim()) throw new Unheard(WORDS.nothing);
      this.#insert(text.trim());
    } catch (error) {
      if (!task.signal.aborted && isPassing(error)) this.#left = audio;
      throw error;
    }
  }

  #insert(text: string): void {
    const [start, end] = this.desk.selection;
    const [before, after] = [this.desk.value.slice(0, start), this.desk.value.slice(end)];
    const left = before && isApart(before, text) ? " " : "";
    const right = after && isApart(text, after) ? " " : "";
    this.desk.insert(left + text + right);
    this.desk.announce(text);
  }

  #failed(error: unknown): void {
    const words = error instanceof Error ? error.message : WORDS.failed;
    this.desk.note(words);
    if (!(error instanceof Unheard)) this.desk.failed(error);
  }

  #iconButton(name: string, label: string, act: () => void): HTMLButtonElement {
    const button = iconButton(name, label, "menu");
    button.addEventListener("click", act);
    return button;
  }
}

/** Whether there is a space between what is written before and after. */
function isApart(before: string, after: string): boolean {
  const joins = /[\s([{“‘«¿¡\-/\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}]$/u;
  const follows = /^[\s.,;:!?)\]}”’»…\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}]/u;
  return !joins.test(before) && !follows.test(after);
}

/** Whether the same recording may be written down later. */
function isPassing(error: unknown): boolean {
  return error instanceof Error && Reflect.get(error, "passing") === true;
}

async function base64(audio: Blob): Promise<string> {
  const bytes = new Uint8Array(await audio.arrayBuffer());
  let text = "";
  // more at once is more than a call takes
  for (let at = 0; at < bytes.length; at += 32_768)
    text += String.fromCharCode(...bytes.subarray(at, at + 32_768));
  return btoa(text);
}
