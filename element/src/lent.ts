/** What the further files use of the main one, so that nothing is there twice. The build reads the names. */

import * as clipboard from "./clipboard";
import * as dom from "./dom";
import * as icons from "./icons";
import * as odd from "./odd";
import * as plain from "./plain";
import * as strings from "./strings";

export const lent = { clipboard, dom, icons, odd, plain, strings };
