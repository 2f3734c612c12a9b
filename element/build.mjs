// Bundles the element into the Python package. The same sources give the same bytes; the first line
// names the sources, so that a test without Node can see whether the bundle is of this tree.
// `node build.mjs FILE` writes it elsewhere; `node build.mjs --tests FILE` bundles test/modules.ts.
import { build, transform } from "esbuild";
import { createHash } from "node:crypto";
import { readFile, readdir } from "node:fs/promises";
import { dirname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const SHIPPED = join(here, "../src/chatbridge/entrypoints/page/static/chatkit.js");

// Python computes the same: tests/unit/test_element_bundle.py.
async function hashOfSources() {
  const inSource = await readdir(join(here, "src"), { recursive: true, withFileTypes: true });
  const files = inSource
    .filter((entry) => entry.isFile())
    .map((entry) => relative(here, join(entry.parentPath, entry.name)).split(sep).join("/"));
  const hash = createHash("sha256");
  for (const file of [...files, "build.mjs", "package-lock.json", "tsconfig.json"].sort()) {
    hash.update(file).update("\0");
    hash.update(await readFile(join(here, file))).update("\0");
  }
  return hash.digest("hex");
}

/** Style sheets become texts without their white space: a component adopts them as such. */
const styleTexts = {
  name: "style texts",
  setup({ onLoad }) {
    onLoad({ filter: /\.css$/ }, async ({ path }) => {
      const { code } = await transform(await readFile(path), { loader: "css", minify: true });
      return { contents: code.trim(), loader: "text" };
    });
  },
};

const tests = process.argv[2] === "--tests";
await build({
  absWorkingDir: here,
  entryPoints: [tests ? "test/modules.ts" : "src/index.ts"],
  outfile: process.argv[tests ? 3 : 2] ?? SHIPPED,
  bundle: true,
  format: "iife",
  ...(tests
    ? { globalName: "modules" }
    : {
        minify: true,
        banner: { js: `/*! chatbridge element, sources sha256:${await hashOfSources()} */` },
      }),
  target: "es2022",
  charset: "utf8",
  plugins: [styleTexts],
  legalComments: "inline",
  logLevel: "warning",
});
