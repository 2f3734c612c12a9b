// Bundles the element into the Python package. The same sources give the same bytes; the first line of
// the script names the sources, so that a test without Node can see whether the files are of this tree,
// and the script names the further files by what is in them.
// `node build.mjs FOLDER` writes them elsewhere; `node build.mjs --tests FILE` bundles test/modules.ts.
import { build, transform } from "esbuild";
import { createHash } from "node:crypto";
import { mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { dirname, join, relative, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const SHIPPED = join(here, "../src/chatbridge/entrypoints/page/static");
const FURTHER_FILE = /^[a-z]+-[0-9a-f]{12}\.js$/;

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

/** The further files, as src/further.ts names them. */
async function namesOfFurther() {
  const source = await readFile(join(here, "src/further.ts"), "utf8");
  return [...source.matchAll(/new Further<typeof import\("\.\/(\w+)"\)>\("\1"\)/g)].map(
    ([, n]) => n,
  );
}

/** A further file takes from the main one what src/lent.ts lends. */
async function borrowing() {
  const source = await readFile(join(here, "src/lent.ts"), "utf8");
  const lent = [...source.matchAll(/import \* as (\w+)/g)].map(([, name]) => name);
  return {
    name: "borrowing",
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^\./ }, ({ path, resolveDir }) => {
        const name = relative(join(here, "src"), resolve(resolveDir, path));
        return lent.includes(name) ? { path: name, namespace: "lent" } : null;
      });
      onLoad({ filter: /.*/, namespace: "lent" }, ({ path }) => ({
        contents: `module.exports = lent.${path}`,
      }));
    },
  };
}

/** The sources that are in a file. */
function within({ outputs }) {
  const inputs = Object.values(outputs).flatMap((output) => Object.entries(output.inputs));
  return inputs.filter(([, { bytesInOutput }]) => bytesInOutput).map(([name]) => name);
}

const common = {
  absWorkingDir: here,
  bundle: true,
  format: "iife",
  target: "es2022",
  charset: "utf8",
  legalComments: "inline",
  logLevel: "warning",
  write: false,
  metafile: true,
};

async function further(part) {
  const { outputFiles, metafile } = await build({
    ...common,
    entryPoints: [`src/${part}.ts`],
    minify: true,
    globalName: "part",
    banner: { js: "export default(lent)=>{" },
    footer: { js: "return part}" },
    plugins: [styleTexts, await borrowing()],
  });
  const { contents } = outputFiles[0];
  const hash = createHash("sha256").update(contents).digest("hex").slice(0, 12);
  return { part, name: `${part}-${hash}.js`, contents, sources: within(metafile) };
}

async function element(into) {
  const parts = await Promise.all((await namesOfFurther()).map(further));
  const names = Object.fromEntries(parts.map(({ part, name }) => [part, name]));
  const { outputFiles, metafile } = await build({
    ...common,
    entryPoints: ["src/index.ts"],
    minify: true,
    define: { FURTHER: JSON.stringify(names) },
    banner: { js: `/*! chatbridge element, sources sha256:${await hashOfSources()} */` },
    plugins: [styleTexts],
  });
  const twice = within(metafile).filter((source) =>
    parts.some((part) => part.sources.includes(source)),
  );
  if (twice.length) throw new Error(`In two files; src/lent.ts may lend one of them: ${twice}`);
  await mkdir(into, { recursive: true });
  for (const file of await readdir(into)) if (FURTHER_FILE.test(file)) await rm(join(into, file));
  const { contents } = outputFiles[0];
  for (const file of [{ name: "chatkit.js", contents }, ...parts])
    await writeFile(join(into, file.name), file.contents);
}

async function tests(file) {
  const { outputFiles } = await build({
    ...common,
    entryPoints: ["test/modules.ts"],
    globalName: "modules",
    plugins: [styleTexts],
  });
  await writeFile(file, outputFiles[0].contents);
}

if (process.argv[2] === "--tests") await tests(process.argv[3]);
else await element(process.argv[2] ?? SHIPPED);
