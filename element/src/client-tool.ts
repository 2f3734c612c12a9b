/** Tools that the page has. */

import type { ChatKitOptions } from "@openai/chatkit";
import type { ClientToolCallItem } from "./protocol";

/** What came of a call, or why nothing did. */
export async function called(
  run: ChatKitOptions["onClientTool"],
  call: ClientToolCallItem,
): Promise<unknown> {
  if (!run) return { error: "This page has no such tool." };
  try {
    return await run({ name: call.name, params: call.arguments });
  } catch (error) {
    return { error: String(error) };
  }
}
