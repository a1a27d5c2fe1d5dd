// Builds the package into dist, and the files that a server serves into ../public.
//
//     node scripts/build.mjs             builds both
//     node scripts/build.mjs --package   builds the package alone
//     node scripts/build.mjs --check     fails if ../public is not what the sources say

import { execFileSync } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { build } from "esbuild";

const FOLDER = dirname(dirname(fileURLToPath(import.meta.url)));
const PUBLIC = join(FOLDER, "..", "public");
/** Of the client, the element and React's hook. */
const ENTRIES = ["client", "roll-call", "react"];
/** What a server serves: each is whole. */
const SERVED = ["client", "roll-call"];

const common = { bundle: true, format: "esm", target: "es2022", minify: true, charset: "utf8", legalComments: "none" };

const source = (name) => join(FOLDER, "src", `${name}.ts`);

/** The text of a file that a server serves. */
async function served(name) {
  const { outputFiles } = await build({ ...common, entryPoints: [source(name)], write: false });
  return outputFiles[0].text;
}

/** The package: element and hook import the client, so that a program has it once. */
async function buildPackage() {
  rmSync(join(FOLDER, "dist"), { recursive: true, force: true });
  for (const name of ENTRIES) {
    await build({
      ...common,
      minify: false,
      entryPoints: [source(name)],
      outfile: join(FOLDER, "dist", `${name}.js`),
      external: ["react", "./client.js"],
    });
  }
  const require = createRequire(import.meta.url);
  const compiler = join(dirname(require.resolve("typescript/package.json")), "bin", "tsc");
  const options = ["--noEmit", "false", "--emitDeclarationOnly", "--declaration", "--rootDir", "src", "--outDir", "dist"];
  const files = ENTRIES.map((name) => join("src", `${name}.ts`));
  execFileSync(process.execPath, [compiler, "--ignoreConfig", ...COMPILER_OPTIONS, ...options, ...files], {
    cwd: FOLDER,
    stdio: "inherit",
  });
}

/** Those of tsconfig.json that matter for declarations. */
const COMPILER_OPTIONS = ["--target", "es2022", "--module", "esnext", "--moduleResolution", "bundler", "--strict"];

if (process.argv.includes("--check")) {
  for (const name of SERVED) {
    if (readFileSync(join(PUBLIC, `${name}.js`), "utf8") !== (await served(name))) {
      console.error(`public/${name}.js is not what client/ says: run \`npm run build\` in client, and commit the file.`);
      process.exitCode = 1;
    }
  }
} else {
  await buildPackage();
  const names = process.argv.includes("--package") ? [] : SERVED;
  for (const name of names) writeFileSync(join(PUBLIC, `${name}.js`), await served(name));
}
