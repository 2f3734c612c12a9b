/** What the further files use of the main one, so that nothing is there twice. The build reads the names. */

import * as dom from "./dom";
import * as icons from "./icons";
import * as markdown from "./markdown";
import * as strings from "./strings";

export const lent = { dom, icons, markdown, strings };
