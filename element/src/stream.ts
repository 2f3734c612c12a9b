/** Server-sent events over fetch: bytes in, each event's id and data out. */

export interface ServerSent {
  /** The `id:` of this very event. */
  id: string | null;
  data: string;
}

/**
 * Every whole event, as the HTML standard reads an event stream: lines end with CR, LF or both, comments and
 * other fields are left out, an event that is cut off by the stream's end is not told. Rejects as the body
 * does, and when `silence` milliseconds pass without a byte. Leaving the loop cancels the body.
 */
export async function* serverSentEvents(
  body: ReadableStream<Uint8Array>,
  silence = Infinity,
): AsyncGenerator<ServerSent> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  const lines = new Lines();
  let id: string | null = null;
  let data: string[] = [];
  try {
    for (;;) {
      const { value, done } = await within(silence, reader.read());
      for (const line of lines.in(
        done ? decoder.decode() : decoder.decode(value, { stream: true }),
      )) {
        if (line === "") {
          if (data.length) yield { id, data: data.join("\n") };
          id = null;
          data = [];
        } else if (line === "data" || line.startsWith("data:")) {
          data.push(valueOf(line, 5));
        } else if (line.startsWith("id:")) {
          id = valueOf(line, 3);
        }
      }
      if (done) return;
    }
  } finally {
    void reader.cancel().catch(() => {});
  }
}

function valueOf(line: string, at: number): string {
  return line.slice(line[at] === " " ? at + 1 : at);
}

/** What was promised, or a rejection if it takes longer. */
function within<T>(ms: number, promised: Promise<T>): Promise<T> {
  if (ms === Infinity) return promised;
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error("The stream is silent.")), ms);
    promised.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

/** Cuts pieces of text into lines, across the pieces; each character is looked at once. */
class Lines {
  /** The line that has not ended yet. */
  #open: string[] = [];
  #afterCarriageReturn = false;

  in(piece: string): string[] {
    if (piece === "") return [];
    const text = this.#afterCarriageReturn && piece[0] === "\n" ? piece.slice(1) : piece;
    this.#afterCarriageReturn = piece.endsWith("\r");
    const lines = text.split(/\r\n|\n|\r/);
    const last = lines.pop() ?? "";
    if (!lines.length) {
      this.#open.push(last);
      return [];
    }
    lines[0] = [...this.#open, lines[0]].join("");
    this.#open = [last];
    return lines;
  }
}
