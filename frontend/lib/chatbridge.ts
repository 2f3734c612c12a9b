import "server-only";

/** The address of a path of chatbridge's, as this server reaches it. */
export function chatbridge(path: string): string {
  const server = (process.env.CHATBRIDGE_URL ?? "http://127.0.0.1:8000").replace(/\/+$/, "");
  return `${server}/${path}`;
}
