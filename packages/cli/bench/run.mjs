// Runs a benchmark as users run Bursar: bundled. `node packages/cli/bench/run.mjs [FILE]`, FILE below packages/cli/bench.
import { bundled } from "../bin/bundle.mjs";

const [file = "main.ts", ...rest] = process.argv.slice(2);
const url = await bundled(`cli/bench/${file}`);
if (url === null) throw new Error(`${file} cannot be bundled: is esbuild installed?`);
process.argv.splice(1, process.argv.length - 1, file, ...rest);
await import(url);
