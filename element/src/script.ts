/** Where this script came from. */

const { currentScript } = document;

/** Its address; null where it is part of another script. */
export const scriptUrl = (currentScript instanceof HTMLScriptElement && currentScript.src) || null;
