// Builds the package and the tests, and runs them. Further arguments are names of test files: `npm test room`.

import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { build } from "esbuild";

const FOLDER = dirname(dirname(fileURLToPath(import.meta.url)));
const BUILT = join(FOLDER, "dist-test");

const wanted = process.argv.slice(2);
const names = readdirSync(join(FOLDER, "test")).filter((name) => name.endsWith(".test.ts"));
const chosen = names.filter((name) => wanted.length === 0 || wanted.some((part) => name.includes(part)));

rmSync(BUILT, { recursive: true, force: true });
mkdirSync(BUILT);
await build({
  bundle: true,
  entryPoints: chosen.map((name) => join(FOLDER, "test", name)),
  outdir: BUILT,
  format: "esm",
  platform: "node",
  target: "node20",
  packages: "external",
  sourcemap: "inline",
});
const files = chosen.map((name) => join(BUILT, name.replace(/ts$/, "js")));
const options = ["--enable-source-maps", "--test", "--test-reporter", "spec"];
process.exitCode = spawnSync(process.execPath, [...options, ...files], { cwd: FOLDER, stdio: "inherit" }).status ?? 1;
