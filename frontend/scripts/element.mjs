/** Copies the files of chatbridge's chat element to where this app serves them. */

import { copyFile, mkdir, readdir, rm } from "node:fs/promises";

const files = new URL("../../src/chatbridge/entrypoints/page/static/", import.meta.url);
const served = new URL("../public/element/", import.meta.url);
// the script, and what it loads when it is first needed
const ELEMENT = /^(chatkit|[a-z]+-[0-9a-f]{12})\.js$/;

await rm(served, { recursive: true, force: true });
await mkdir(served, { recursive: true });
for (const name of await readdir(files))
  if (ELEMENT.test(name)) await copyFile(new URL(name, files), new URL(name, served));
