/** Defines the element, unless the page has one already. */

import { ChatKitElement } from "./element";

if (!customElements.get("openai-chatkit")) customElements.define("openai-chatkit", ChatKitElement);
