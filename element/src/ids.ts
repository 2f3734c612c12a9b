/** Names that nothing else has. */

/** An id that nobody else has; also on a page without TLS, which has no `crypto.randomUUID`. */
export function uniqueId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
