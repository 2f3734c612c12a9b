/** Where this script came from. */

const { currentScript } = document;

/** Its address; null where it is part of another script. */
export const scriptUrl = (currentScript instanceof HTMLScriptElement && currentScript.src) || null;

/** Only chatbridge serves this script, at `page/chatkit.js`: whoever did is one. */
export const scriptOrigin = scriptUrl ? new URL(scriptUrl).origin : null;
/** Where chat sessions (`api.getClientSecret`) are used, unless `api.url` says otherwise. */
export const SESSION_URL = scriptUrl ? new URL("../chatkit", scriptUrl).href : "/chatkit";
