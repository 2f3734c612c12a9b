/** Copies chatbridge's chat element to where this app serves it. */

import { copyFile, mkdir } from "node:fs/promises";

const bundle = new URL("../../src/chatbridge/entrypoints/page/static/chatkit.js", import.meta.url);
const served = new URL("../public/chatkit.js", import.meta.url);

await mkdir(new URL(".", served), { recursive: true });
await copyFile(bundle, served);
