// Lints docs/openapi.json and docs/asyncapi.json, and writes the types of a client, which `client.ts` uses.

import { mkdir, readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { Parser } from "@asyncapi/parser";
import { createConfig, lint } from "@redocly/openapi-core";
import openapiTypes, { astToString } from "openapi-typescript";

const docs = new URL("../../docs/", import.meta.url);
const openapi = new URL("openapi.json", docs);
const asyncapi = new URL("asyncapi.json", docs);

/** What is wrong, one line each. */
const problems = [];

const config = await createConfig({
  extends: ["recommended-strict"],
  rules: {
    // The address of the WebSocket answers 101.
    "operation-2xx-response": "off",
    // Two licences have no address, and AsyncAPI has no field for their expression.
    "info-license-strict": "off",
  },
  // Who may open a socket or a stream is no matter of a security scheme.
  async3Rules: { "security-defined": "off" },
});
for (const file of [openapi, asyncapi]) {
  for (const { ruleId, message, location } of await lint({ ref: fileURLToPath(file), config })) {
    problems.push(`${location[0]?.pointer ?? ""}: ${message} (${ruleId})`);
  }
}

// The specification's own parser knows rules about channels and operations that the other one does not.
const text = await readFile(asyncapi, "utf8");
for (const { path, message, code, severity } of await new Parser().validate(text)) {
  // From 2 on it is information, such as that there is a newer version of the specification.
  if (severity < 2) problems.push(`/${path.join("/")}: ${message} (${code})`);
}

if (problems.length > 0) {
  console.error(problems.join("\n"));
  process.exit(1);
}

const generated = new URL("generated/", import.meta.url);
await mkdir(generated, { recursive: true });
await writeFile(new URL("openapi.d.ts", generated), astToString(await openapiTypes(openapi)));
