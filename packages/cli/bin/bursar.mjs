#!/usr/bin/env node
// Runs the source as it is: bundled in the cache where that is possible, else file by file.
import { bundled } from "./bundle.mjs";

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`bursar: Node ${process.versions.node} is too old: Bursar needs 20.19 or later.`);
  process.exit(1);
}
const bundle = process.env.BURSAR_UNBUNDLED === undefined ? await bundled("cli/src/main.ts") : null;
const { main } = await import(bundle ?? (await source()));
await main(process.argv.slice(2));

async function source() {
  const { register } = await import("tsx/esm/api");
  register({ tsconfig: false }); // a user's own tsconfig paths must not hijack our imports
  return "../src/main.ts";
}
