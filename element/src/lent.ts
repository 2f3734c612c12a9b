/** What the further files use of the main one, so that nothing is there twice. The build reads the names. */

import * as actions from "./actions";
import * as alert from "./alert";
import * as asks from "./asks";
import * as clipboard from "./clipboard";
import * as dom from "./dom";
import * as icons from "./icons";
import * as ids from "./ids";
import * as odd from "./odd";
import * as options from "./options";
import * as plain from "./plain";
import * as refusal from "./refusal";
import * as script from "./script";
import * as strings from "./strings";

export const lent = {
  actions,
  alert,
  asks,
  clipboard,
  dom,
  icons,
  ids,
  odd,
  options,
  plain,
  refusal,
  script,
  strings,
};
