/** What went wrong, and the way out of it. */

import { h } from "./dom";
import { icon } from "./icons";
import type { Trouble } from "./room";

/** An alert with a message and, if something can be done, a button that does it. */
export function alertBox({ message, way }: Trouble): HTMLElement {
  const box = h("div", { class: "alert", role: "alert" }, icon("warning"), h("p", {}, message));
  if (way) {
    const button = h("button", { type: "button", class: "plain" }, way.label);
    button.addEventListener("click", () => way.act());
    box.append(button);
  }
  return box;
}
