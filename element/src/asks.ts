/** What items ask of the person, and of the page. */

import type { ClientToolCallItem, ThreadItem } from "./protocol";

/** How a chatbridge calls what asks on a card. */
const ASKED = '"chatbridge-asked"';

/** Whether an item asks for anything. */
export const asks = (item: ThreadItem): boolean =>
  item.type === "widget"
    ? `${JSON.stringify(item.widget)}`.includes(ASKED)
    : "status" in item && item.status === "pending";

/** The call that waits for its output. */
export function pendingCall(items: Iterable<ThreadItem>): ClientToolCallItem | null {
  const last = [...items].findLast(
    (item) =>
      item.type === "user_message" ||
      (item.type === "client_tool_call" && item.status === "pending"),
  );
  return last?.type === "client_tool_call" ? last : null;
}

/** An item may be of several calls, one after the other. */
export const isSame = (a: ClientToolCallItem | null, b: ClientToolCallItem): boolean =>
  a?.id === b.id && a.call_id === b.call_id;
