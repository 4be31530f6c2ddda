/** What doctor looks at. Each check answers for itself; none throws, and none changes anything. */
import { constants, existsSync, statSync } from "node:fs";
import { access } from "node:fs/promises";
import { createServer } from "node:net";
import { dirname, join, resolve } from "node:path";
import type { Config } from "@bursar/events/config-schema";
import { checkAgentCore } from "./agentcore-check.ts";
import { type Check, type CheckOptions, fail, ok, warn } from "./check.ts";
import { connect } from "./client.ts";
import { checkConfig } from "./config-check.ts";
import { rpcUrlsOf } from "./rpc-urls.ts";
import { duration } from "./terminal/figures.ts";
import type { Env } from "./terminal/screen.ts";

/** In the order in which one would fix them. */
export async function checkAll(options: CheckOptions): Promise<Check[]> {
  const { config, check } = await checkConfig(options);
  const rest = [checkData(options), checkMachine(options), checkChain(config, options.env), checkAnvil()];
  const agentCore = config === null ? null : checkAgentCore(config, options.env);
  return [checkNode(), check, ...(agentCore === null ? [] : [agentCore]), ...(await Promise.all(rest))];
}

function checkNode(): Check {
  const { node } = process.versions;
  const [major = 0, minor = 0] = node.split(".").map(Number);
  return major > 20 || (major === 20 && minor >= 19)
    ? ok("node", `${node} on ${process.platform} ${process.arch}`)
    : fail("node", `${node} is too old`, "Install Node 20.19 or later.");
}

async function checkData({ data, cwd }: CheckOptions): Promise<Check> {
  const directory = resolve(cwd, data);
  if (!existsSync(directory)) {
    const parent = dirname(directory);
    const writable = await mayWrite(parent);
    return writable
      ? ok("data", `${data} will be made by the first start`)
      : fail(
          "data",
          `${data} cannot be made: ${parent} is not there or not writable`,
          "Name another directory with --data.",
        );
  }
  if (!statSync(directory).isDirectory()) return fail("data", `${data} is a file`, "Name a directory with --data.");
  if (!(await mayWrite(directory)))
    return fail(
      "data",
      `${data} is not writable for this user`,
      "Give this user the directory, or name another with --data.",
    );
  if (!existsSync(join(directory, "store", "data.mdb"))) return ok("data", `${data} is there and empty`);
  try {
    const { openLmdbStore } = await import("@bursar/store/lmdb");
    await (await openLmdbStore(join(directory, "store"), { readOnly: true })).close();
    return ok("data", `${data} holds a table that can be read`);
  } catch (error) {
    return fail("data", (error as Error).message, "Or name another directory with --data.");
  }
}

const mayWrite = (path: string): Promise<boolean> =>
  access(path, constants.W_OK).then(
    () => true,
    () => false,
  );

/** The port, and who is on it. */
async function checkMachine({ port, env }: CheckOptions): Promise<Check> {
  const taken = await new Promise<string | null>((done) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => done(error.code ?? error.message));
    server.listen(port, "127.0.0.1", () => server.close(() => done(null)));
  });
  if (taken === null) return ok("port", `${port} on 127.0.0.1 is free; no machine runs there`);
  if (taken !== "EADDRINUSE")
    return fail("port", `${port} cannot be listened on: ${taken}`, "Choose another with --port.");
  const address = { url: `http://127.0.0.1:${port}`, token: env.BURSAR_TOKEN ?? null, named: true };
  try {
    const connected = await connect(address);
    if (connected === null) throw new Error("it does not answer");
    const { health } = connected;
    const said = `Bursar ${health.version} runs on port ${port}, ${health.status}, ${health.queueDepth} entries waiting`;
    if (health.status === "ok") return ok("machine", said);
    return warn("machine", said, "Its terminal says what is wrong; bursar status shows the chain and the queue.");
  } catch (error) {
    const check = fail(
      "port",
      `${port} on 127.0.0.1 is taken: ${(error as Error).message}`,
      "Stop what is on it, or choose another with --port.",
    );
    return check;
  }
}

async function checkChain(config: Config | null, env: Env): Promise<Check> {
  const [chain] = config?.chains ?? [];
  if (chain === undefined)
    return warn("chain", "not checked: the config cannot be read", "Put the config right first.");
  const { urls, missing } = rpcUrlsOf(chain.rpcUrls, env);
  if (missing.length > 0 && urls.length === 0) {
    const names = missing.join(", ");
    return warn(
      "chain",
      `no RPC URL: the secret ${names} is not in the environment`,
      `Set ${missing[0]} to the URL; without it nothing is seen on the chain.`,
    );
  }
  const [url] = urls;
  if (url === undefined)
    return warn(
      "chain",
      "no RPC URL is configured: nothing is seen on the chain",
      'Name one in the config: chains: [{ id: 42161, rpcUrls: ["https://..."] }]. The demo brings its own chain.',
    );
  const started = performance.now();
  try {
    const id = await chainIdAt(url);
    const took = duration((performance.now() - started) / 1000);
    return id === chain.id
      ? ok("chain", `${hostOf(url)} answers for chain ${id} in ${took}`)
      : fail(
          "chain",
          `${hostOf(url)} is chain ${id}, and the config says ${chain.id}`,
          "Put chains[0].id or the URL right.",
        );
  } catch (error) {
    return fail(
      "chain",
      `${hostOf(url)} does not answer: ${reasonOf(error as Error)}`,
      "Check the URL and the network; behind a proxy, that it lets it through.",
    );
  }
}

async function chainIdAt(url: string): Promise<number> {
  if (!url.startsWith("http")) throw new Error("only http(s) URLs are checked");
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "eth_chainId", params: [] });
  const headers = { "content-type": "application/json", connection: "close" };
  const response = await fetch(url, { method: "POST", headers, body, signal: AbortSignal.timeout(5000) });
  if (!response.ok) throw new Error(`status ${response.status}`);
  const { result } = (await response.json()) as { result?: unknown };
  if (typeof result !== "string" || !/^0x[0-9a-f]+$/i.test(result)) throw new Error("it gave no chain id");
  return Number(result);
}

const reasonOf = (error: Error): string =>
  error.name === "TimeoutError"
    ? "no answer within 5 s"
    : ((error.cause as Error | undefined)?.message ?? error.message);

/** A URL's path and query may hold a key: neither is shown. */
const hostOf = (url: string): string => (URL.canParse(url) ? new URL(url).host : "the RPC URL");

async function checkAnvil(): Promise<Check> {
  try {
    const { anvilBinary } = await import("@bursar/demo/anvil");
    const binary = anvilBinary();
    await access(binary, constants.X_OK).catch(() => access(binary));
    return ok("demo", "the local chain's binary (anvil) is there");
  } catch (error) {
    return warn("demo", (error as Error).message, "Only start --demo needs it.");
  }
}
