import type { UseChatKitOptions } from "@openai/chatkit-react";

type ClientTool = NonNullable<UseChatKitOptions["onClientTool"]>;
type Called = Parameters<ClientTool>[0];

const THEMES = ["light", "dark", "system"];

/** Runs what client-tools.json tells chatbridge of; what can't be done is said to the model. */
export function clientTool({ name, params }: Called, setTheme: (theme: string) => void) {
  if (name !== "switch_theme") return { error: `This page has no tool ${name}.` };
  const theme: unknown = params?.theme;
  if (typeof theme !== "string" || !THEMES.includes(theme))
    return { error: `theme must be one of ${THEMES.join(", ")}.` };
  setTheme(theme);
  return { theme };
}
