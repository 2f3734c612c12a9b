import { STATUS_CODES } from "node:http";

// as RFC 9110 has it: Node has an older name
const TITLES: Record<number, string | undefined> = { ...STATUS_CODES, 413: "Content Too Large" };

/** A refusal as chatbridge writes its own: a problem document (RFC 9457) with a stable code. */
export function problem(status: number, code: string, detail: string): Response {
  const body = {
    type: `urn:chatbridge:problem:${code}`,
    title: TITLES[status],
    status,
    code,
    detail,
  };
  return Response.json(body, { status, headers: { "Content-Type": "application/problem+json" } });
}
