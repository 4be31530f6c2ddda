/**
 * Makes the package that is published, in dist/: JavaScript and types of the SDK and of those parts of @bursar/events
 * that it uses, which is private and travels along. `npm pack ./packages/sdk/dist` and `npm publish` work from there.
 */
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const home = fileURLToPath(new URL("..", import.meta.url));
const root = join(home, "../..");
const dist = join(home, "dist");

fs.rmSync(dist, { recursive: true, force: true });
execFileSync(
  process.execPath,
  [join(root, "node_modules/typescript/bin/tsc"), "-p", join(home, "tsconfig.build.json")],
  {
    stdio: "inherit",
  },
);

for (const name of fs.readdirSync(dist, { recursive: true, encoding: "utf8" })) {
  if (!/\.(?:js|d\.ts)$/.test(name)) continue;
  const file = join(dist, name);
  const text = fs.readFileSync(file, "utf8");
  fs.writeFileSync(file, withPublishedSpecifiers(text, dirname(file)));
}

// The contract and its ids are used as types alone: their code would bring the schemas along.
for (const name of ["contract", "ids"]) fs.rmSync(join(dist, `events/src/${name}.js`));

const { name, version, license, type, dependencies } = read(join(home, "package.json"));
const { engines } = read(join(root, "package.json"));
const { zod } = read(join(root, "packages/events/package.json")).dependencies;
const { "@bursar/events": _, ...needed } = dependencies;
const x402 = read(join(home, "package.json")).devDependencies["@x402/core"];
const manifest = {
  name,
  version,
  description: "Tells Bursar what your agent, API or facilitator does with x402 payments",
  license,
  type,
  engines,
  exports: { ".": { types: "./sdk/src/index.d.ts", default: "./sdk/src/index.js" } },
  // zod is here for the event types alone; nothing of it is loaded.
  dependencies: { ...needed, zod },
  peerDependencies: { "@x402/core": `^${x402}` },
  peerDependenciesMeta: { "@x402/core": { optional: true } },
  sideEffects: false,
};
fs.writeFileSync(join(dist, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);
fs.copyFileSync(join(root, "LICENSE"), join(dist, "LICENSE"));
fs.copyFileSync(join(home, "README.md"), join(dist, "README.md"));

/** Sources import `./x.ts` and `@bursar/events/x`; what is published imports `./x.js`. */
function withPublishedSpecifiers(text: string, directory: string): string {
  const events = relative(directory, join(dist, "events/src")) || ".";
  const base = events.startsWith(".") ? events : `./${events}`;
  return text
    .replace(/(["'])(\.{1,2}\/[^"']+)\.ts\1/g, "$1$2.js$1")
    .replace(/(["'])@bursar\/events\/([\w-]+)\1/g, `$1${base}/$2.js$1`);
}

function read(file: string) {
  return JSON.parse(fs.readFileSync(file, "utf8"));
}
