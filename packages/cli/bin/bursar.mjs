#!/usr/bin/env node
// Runs the TypeScript source as it is: no build step between an edit and a run.
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`bursar: Node ${process.versions.node} is too old: Bursar needs 20.19 or later.`);
  process.exit(1);
}
const { register } = await import("tsx/esm/api");
register({ tsconfig: false }); // a user's own tsconfig paths must not hijack our imports
const { main } = await import("../src/main.ts");
await main(process.argv.slice(2));
