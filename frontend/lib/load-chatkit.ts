"use client";

import { CHATKIT_CDN } from "@/lib/csp";

/** Whose element it is: chatbridge's own, or OpenAI's from its CDN. */
export type ChatKitSource = "local" | "hosted";

const ELEMENT = "openai-chatkit";
const LOCAL = "/element/chatkit.js";
const HOSTED = `${CHATKIT_CDN}/deployments/chatkit/chatkit.js`;
const PATIENCE_MS = 3_000;

let loading: Promise<ChatKitSource> | undefined;

/**
 * Defines `<openai-chatkit>`: OpenAI's if it is asked for and comes in time, else ours.
 * Throws when ours can't be loaded either.
 */
export function loadChatKit(hosted: boolean): Promise<ChatKitSource> {
  loading ??= load(hosted).catch((error: unknown) => {
    loading = undefined;
    throw error;
  });
  return loading;
}

async function load(hosted: boolean): Promise<ChatKitSource> {
  if (hosted && (await Promise.race([defined(HOSTED), refusal(PATIENCE_MS)]))) return "hosted";
  if (!(await defined(LOCAL))) throw new Error("The chat can't be loaded.");
  return "local";
}

/** Whether the script has defined the element; false when it can't be loaded. */
async function defined(src: string): Promise<boolean> {
  const script = document.createElement("script");
  script.src = src;
  script.async = true;
  const failed = new Promise<boolean>((resolve) => {
    script.onerror = () => resolve(false);
  });
  document.head.append(script);
  return Promise.race([customElements.whenDefined(ELEMENT).then(() => true), failed]);
}

function refusal(after: number): Promise<boolean> {
  return new Promise((resolve) => setTimeout(() => resolve(false), after));
}
