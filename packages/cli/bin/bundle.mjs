/**
 * Our TypeScript source as plain JavaScript, bundled once after each change into node_modules/.cache. Loading 200 files
 * one by one costs half a second at each start, and tsx names every closure at run time, which costs a third of the
 * speed. Only our own packages go in; everything else is imported from node_modules as always.
 */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const packages = join(dirname(fileURLToPath(import.meta.url)), "../..");
const cache = join(packages, "../node_modules/.cache/bursar");

const KEPT_MS = 30 * 24 * 3_600_000;

/**
 * The URL of the bundled `entry` (a path below packages/), built if a source is newer than any bundle there is.
 * Null where it cannot be built or kept: the caller runs the source instead.
 */
export async function bundled(entry) {
  try {
    const sources = readdirSync(packages).flatMap((name) =>
      ["src", "bench"].flatMap((folder) => filesBelow(join(packages, name, folder))),
    );
    const state = sources.map((file) => `${file} ${statSync(file).mtimeMs} ${statSync(file).size}`).sort();
    const name = createHash("sha256")
      .update([process.version, entry, ...state].join("\n"))
      .digest("hex")
      .slice(0, 16);
    const directory = join(cache, name);
    const output = join(directory, "main.mjs");
    if (!existsSync(output)) await build(join(packages, entry), directory);
    return pathToFileURL(output).href;
  } catch {
    return null;
  }
}

async function build(entry, directory) {
  const esbuild = await import("esbuild");
  const draft = `${directory}.${process.pid}`;
  mkdirSync(cache, { recursive: true });
  await esbuild.build({
    entryPoints: { main: entry },
    outdir: draft,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node20.19",
    sourcemap: "linked",
    logLevel: "silent",
    plugins: [{ name: "own", setup: ownSources }],
  });
  // A machine that runs for days may still load a part of its own bundle.
  for (const old of readdirSync(cache)) {
    const path = join(cache, old);
    if (path !== draft && Date.now() - statSync(path).mtimeMs > KEPT_MS) rmSync(path, { recursive: true, force: true });
  }
  // Whoever is first wins; another start has built the same.
  if (existsSync(directory)) rmSync(draft, { recursive: true, force: true });
  else renameSync(draft, directory);
}

/** Our own packages are bundled from their source, which keeps its own place in `import.meta.url`. */
function ownSources(build) {
  build.onResolve({ filter: /^[^./]/ }, ({ path, kind }) => {
    if (kind === "entry-point") return undefined;
    const own = /^@bursar\/([a-z]+)\/(.+)$/.exec(path);
    if (own !== null) return { path: join(packages, own[1], "src", `${own[2]}.ts`) };
    return path === "@bursar/sdk" ? { path: join(packages, "sdk/src/index.ts") } : { path, external: true };
  });
  build.onLoad({ filter: /\.ts$/ }, ({ path }) => ({
    contents: readFileSync(path, "utf8").replaceAll("import.meta.url", JSON.stringify(pathToFileURL(path).href)),
    loader: "ts",
  }));
}

function filesBelow(directory) {
  if (!existsSync(directory)) return [];
  return readdirSync(directory, { recursive: true })
    .filter((file) => file.endsWith(".ts"))
    .map((file) => join(directory, file));
}
