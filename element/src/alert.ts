/** What went wrong, and the way out of it. */

import { h } from "./dom";
import { icon } from "./icons";
import { strings } from "./strings";

/** An alert with a message and, if something can be done, a button that does it. */
export function alertBox(message: string, retry: (() => void) | null): HTMLElement {
  const box = h("div", { class: "alert", role: "alert" }, icon("warning"), h("p", {}, message));
  if (retry) {
    const button = h("button", { type: "button", class: "plain" }, strings.retry);
    button.addEventListener("click", retry);
    box.append(button);
  }
  return box;
}
