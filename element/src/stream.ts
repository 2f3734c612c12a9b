/** Server-sent events over fetch: bytes in, the data of each event out. */

/**
 * The data of every whole event, as the HTML standard reads an event stream: lines end with CR, LF or both,
 * comments and other fields are left out, an event that is cut off by the stream's end is not told.
 * Rejects as the body does. Leaving the loop cancels the body.
 */
export async function* serverSentData(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  const lines = new Lines();
  let data: string[] = [];
  try {
    for (;;) {
      const { value, done } = await reader.read();
      for (const line of lines.in(
        done ? decoder.decode() : decoder.decode(value, { stream: true }),
      )) {
        if (line === "") {
          if (data.length) yield data.join("\n");
          data = [];
        } else if (line === "data" || line.startsWith("data:")) {
          data.push(line.slice(line[5] === " " ? 6 : 5));
        }
      }
      if (done) return;
    }
  } finally {
    void reader.cancel().catch(() => {});
  }
}

/** Cuts pieces of text into lines, across the pieces. */
class Lines {
  #rest = "";
  #afterCarriageReturn = false;

  in(piece: string): string[] {
    if (piece === "") return [];
    const text = this.#afterCarriageReturn && piece[0] === "\n" ? piece.slice(1) : piece;
    this.#afterCarriageReturn = piece.endsWith("\r");
    const lines = (this.#rest + text).split(/\r\n|\n|\r/);
    this.#rest = lines.pop() ?? "";
    return lines;
  }
}
