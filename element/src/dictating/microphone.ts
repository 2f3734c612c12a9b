/** A recording of what the person says: made by the browser, small, and with an end. */

const TYPES = ["audio/webm;codecs=opus", "audio/mp4", "audio/ogg;codecs=opus"];
const BITS_PER_SECOND = 24_000;
/** A request has at most 1 MiB, of which base64 leaves three quarters. */
const MOST_BYTES = 700_000;
const MOST_MS = 180_000;
const PIECE_MS = 1_000;

/** Why nobody is heard, in words for the person. */
export class Unheard extends Error {
  override name = "Unheard";
}

/** The microphone is on until `audio` is there or rejects. */
export class Recording {
  readonly began = performance.now();
  /** All of it, once it has ended; null where it was given up. */
  readonly audio: Promise<Blob | null>;
  /** It ended because it was as long as it may be. */
  full = false;
  readonly #pieces: Blob[] = [];
  readonly #meter: Meter;
  #dropped = false;

  private constructor(
    private readonly stream: MediaStream,
    private readonly recorder: MediaRecorder,
  ) {
    this.#meter = new Meter(stream);
    let bytes = 0;
    recorder.addEventListener("dataavailable", ({ data }) => {
      this.#pieces.push(data);
      bytes += data.size;
      if (bytes > MOST_BYTES || this.ms > MOST_MS) this.#fill();
    });
    // it was pulled out, or the person has forbidden it meanwhile
    for (const track of stream.getTracks()) track.addEventListener("ended", () => this.stop());
    this.audio = new Promise((resolve, reject) => {
      recorder.addEventListener("stop", () => {
        this.#release();
        const type = recorder.mimeType || this.#pieces[0]?.type || "";
        resolve(this.#dropped ? null : new Blob(this.#pieces, { type }));
      });
      recorder.addEventListener("error", () => {
        this.#release();
        reject(new Unheard("The recording broke off. Please try again."));
      });
    });
    recorder.start(PIECE_MS);
  }

  /** Asks the person for their microphone, and records. Throws Unheard. */
  static async begin(): Promise<Recording> {
    const { mediaDevices } = navigator as Partial<Navigator>;
    if (!window.isSecureContext)
      throw new Unheard("Only a page with https in its address may use the microphone.");
    if (!mediaDevices || !("MediaRecorder" in window))
      throw new Unheard("This browser can't record what you say.");
    const stream = await mediaDevices.getUserMedia({ audio: true }).catch((error: unknown) => {
      throw new Unheard(whyNot(error));
    });
    try {
      const mimeType = TYPES.find((type) => MediaRecorder.isTypeSupported(type));
      const how = { audioBitsPerSecond: BITS_PER_SECOND, ...(mimeType && { mimeType }) };
      return new Recording(stream, new MediaRecorder(stream, how));
    } catch {
      silence(stream);
      throw new Unheard("This browser can't record what you say.");
    }
  }

  get ms(): number {
    return performance.now() - this.began;
  }

  /** How loud it is, from 0 to 1. */
  get level(): number {
    return this.#meter.level;
  }

  stop(): void {
    if (this.recorder.state !== "inactive") this.recorder.stop();
    this.#release();
  }

  drop(): void {
    this.#dropped = true;
    this.stop();
  }

  #fill(): void {
    if (this.recorder.state === "inactive") return;
    this.full = true;
    this.stop();
  }

  #release(): void {
    this.#meter.close();
    silence(this.stream);
  }
}

/** So that nothing is recorded any more, which the browser shows. */
function silence(stream: MediaStream): void {
  for (const track of stream.getTracks()) track.stop();
}

function whyNot(error: unknown): string {
  const name = error instanceof DOMException ? error.name : "";
  if (name === "NotAllowedError" || name === "SecurityError")
    return "The microphone is not allowed here. The browser's settings for this page can allow it.";
  if (name === "NotFoundError") return "There is no microphone.";
  if (name === "NotReadableError")
    return "The microphone can't be used: is another program using it?";
  return "The microphone can't be used.";
}

/** Something to see while one speaks; a browser that can't measure shows nothing. */
class Meter {
  readonly #context = "AudioContext" in window ? new AudioContext() : null;
  readonly #analyser = this.#context?.createAnalyser();
  readonly #samples = new Uint8Array(this.#analyser?.fftSize ?? 0);

  constructor(stream: MediaStream) {
    if (this.#analyser) this.#context!.createMediaStreamSource(stream).connect(this.#analyser);
  }

  get level(): number {
    this.#analyser?.getByteTimeDomainData(this.#samples);
    const loudest = this.#samples.reduce((most, each) => Math.max(most, Math.abs(each - 128)), 0);
    return Math.min(1, loudest / 64);
  }

  close(): void {
    if (this.#context?.state !== "closed") void this.#context?.close();
  }
}
