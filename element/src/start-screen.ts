/** What is seen before the first message. */

import type { StartScreenOption, StartScreenPrompt } from "@openai/chatkit";
import { h } from "./dom";
import { icon } from "./icons";
import { strings } from "./strings";

export function startScreen(
  { greeting, prompts = [] }: StartScreenOption,
  choose: (prompt: StartScreenPrompt) => void,
): HTMLElement {
  const buttons = prompts.map((prompt) => {
    const mark = prompt.icon ? icon(prompt.icon) : null;
    const button = h("button", { type: "button" }, mark, h("span", {}, prompt.label));
    button.addEventListener("click", () => choose(prompt));
    return button;
  });
  return h(
    "div",
    { class: "start" },
    h("h1", { dir: "auto" }, greeting ?? strings.greeting),
    buttons.length ? h("div", { class: "prompts" }, ...buttons) : null,
  );
}
