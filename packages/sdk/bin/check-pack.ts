/**
 * `npm run test:sdk-pack`: packs what would be published, installs it into an empty project as a stranger would, and
 * there runs it and checks its types, without anything of this repository in reach.
 */
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import "./build.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const project = fs.mkdtempSync(join(tmpdir(), "bursar-sdk-pack-"));
const npm = process.platform === "win32" ? "npm.cmd" : "npm";

const PROGRAM = `
import { createServer } from "node:http";
import * as sdk from "@bursar/sdk";
const names = ["REQUEST_HEADER", "createEmitter", "instrumentExpress", "instrumentFacilitator", "instrumentFetch", "instrumentServer"];
if (names.join() !== Object.keys(sdk).sort().join()) throw new Error("exports " + Object.keys(sdk));
const calls = [];
const bus = createServer((request, response) => {
  let body = "";
  request.on("data", (chunk) => (body += chunk)).on("end", () => {
    calls.push(JSON.parse(body));
    response.writeHead(200, { "content-type": "application/x-amz-json-1.1" });
    response.end(JSON.stringify({ FailedEntryCount: 0, Entries: [{ EventId: "1" }] }));
  });
});
await new Promise((resolve) => bus.listen(0, "127.0.0.1", resolve));
const emitter = sdk.createEmitter({ source: { agent: "research" }, endpoint: "http://127.0.0.1:" + bus.address().port });
emitter.emit({ type: "agent.request_sent", requestId: "r", resource: { url: "https://a.example/?k=1", method: "GET" } });
if (!(await emitter.close())) throw new Error("not sent: " + JSON.stringify(emitter.stats()));
bus.close();
const detail = JSON.parse(calls[0].Entries[0].Detail);
if (detail.events[0].resource.url !== "https://a.example/") throw new Error(JSON.stringify(detail));
console.log("runs: sent", detail.events.length, "event as", detail.sdk.name, detail.sdk.version);
`;

const TYPES = `
import { createEmitter, type EmitInput, instrumentFetch } from "@bursar/sdk";
const emitter = createEmitter({ source: { agent: "research" } });
const event: EmitInput = { type: "agent.request_sent", requestId: "r", resource: { url: "https://a.example/", method: "GET" } };
emitter.emit(event);
// @ts-expect-error a request needs an id
emitter.emit({ type: "agent.request_sent", resource: { url: "https://a.example/", method: "GET" } });
// @ts-expect-error no such type
emitter.emit({ type: "agent.nonsense", requestId: "r" });
export const pay = instrumentFetch(emitter, (inner: typeof fetch, _client: object) => (input: string | URL | Request, init?: RequestInit) => inner(input, init));
`;

const CONFIG = {
  compilerOptions: { module: "nodenext", target: "es2023", strict: true, noEmit: true, types: ["node"] },
  files: ["types.ts"],
};

try {
  run(npm, ["pack", join(root, "packages/sdk/dist"), "--pack-destination", project], root);
  const tarball = fs.readdirSync(project).find((name) => name.endsWith(".tgz"));
  if (tarball === undefined) throw new Error(`npm pack left no tarball in ${project}`);
  const { devDependencies } = JSON.parse(fs.readFileSync(join(root, "package.json"), "utf8"));
  const manifest = { name: "stranger", private: true, type: "module" };
  fs.writeFileSync(join(project, "package.json"), JSON.stringify(manifest));
  fs.writeFileSync(join(project, "run.mjs"), PROGRAM);
  fs.writeFileSync(join(project, "types.ts"), TYPES);
  fs.writeFileSync(join(project, "tsconfig.json"), JSON.stringify(CONFIG));
  const tools = ["typescript", "@types/node"].map((tool) => `${tool}@${devDependencies[tool]}`);
  run(npm, ["install", "--no-audit", "--no-fund", "--loglevel=error", `./${tarball}`, ...tools], project);
  run(process.execPath, ["run.mjs"], project);
  run(process.execPath, ["node_modules/typescript/bin/tsc", "-p", "."], project);
  process.stdout.write(`types: clean\n${tarball}: ${Math.ceil(fs.statSync(join(project, tarball)).size / 1024)} KB\n`);
} finally {
  fs.rmSync(project, { recursive: true, force: true });
}

function run(command: string, args: readonly string[], cwd: string): void {
  execFileSync(command, args, { cwd, stdio: ["ignore", "inherit", "inherit"] });
}
