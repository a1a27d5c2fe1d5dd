import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

/** The release build under test. */
export interface Build {
  /** The server's program. */
  binary: string;
  /** The folder with the page's files. */
  site: string;
  /** Whether the files' names have hashes, which the build writes to a file beside the program. */
  hasHashes: boolean;
}

/** The build that the environment names; throws if something is missing. */
export function buildUnderTest(): Build {
  const binary = pathIn("ROLLCALL_BINARY");
  const site = pathIn("ROLLCALL_SITE");
  return { binary, site, hasHashes: existsSync(join(dirname(binary), "hash.txt")) };
}

function pathIn(variable: string): string {
  const value = process.env[variable];
  if (!value) {
    throw new Error(`${variable} is not set: \`cargo xtask test browser\` builds and sets it.`);
  }
  const path = resolve(value);
  if (!existsSync(path)) throw new Error(`${variable} is ${path}, which does not exist.`);
  return path;
}

/** Runs before all tests, so that a missing build is reported once. */
export default function globalSetup(): void {
  buildUnderTest();
}
