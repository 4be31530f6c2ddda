/**
 * A local chain: foundry's anvil as a child process that never outlives us. The platform package's binary is spawned
 * itself, because killing npm's wrapper leaves the chain alive behind it.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { startBlockClock } from "./block-clock.ts";

export interface AnvilOptions {
  readonly chainId: number;
  /** TCP port on 127.0.0.1; without it any free one. */
  readonly port?: number | undefined;
  /** Where the chain is loaded from, when the file is there, and written to when it stops. Without it nothing is kept. */
  readonly stateFile?: string | undefined;
  /** Seconds between blocks. Arbitrum makes one every 0.25 s, and that is the default. */
  readonly blockTimeSeconds?: number | undefined;
}

export interface Anvil {
  readonly rpcUrl: string;
  readonly pid: number;
  /** Does `work` while the chain's clock makes no block. */
  undisturbed<T>(work: () => Promise<T>): Promise<T>;
  /** Stops the chain and writes its state. A second call is the same as the first. */
  stop(): Promise<void>;
}

/** Blocks whose state can be read, and that a reorg can reach. */
const STATES_KEPT = 64;

/** Longest wait for the chain to answer; a large state file takes a while to load. */
const START_SECONDS = 60;
const STOP_SECONDS = 20;

/**
 * Starts a chain and waits until it answers. It stops with `stop`, when this process exits, and, by a watchdog, when
 * this process is killed without a chance to say so. Terminal signals do not reach it: who started it stops it.
 * @throws {AnvilError} where no binary is there for this platform, or the chain ends before it answers
 */
export async function startAnvil(options: AnvilOptions): Promise<Anvil> {
  const binary = anvilBinary();
  const port = options.port ?? (await freePort());
  const cache = mkdtempSync(join(tmpdir(), "bursar-anvil-")); // else it leaves one below the home directory each time
  const own = process.platform !== "win32"; // its own process group, so that Ctrl-C leaves the order of stopping to us
  const child = spawn(
    binary,
    [
      ...["--host", "127.0.0.1", "--port", String(port), "--chain-id", String(options.chainId)],
      // One slot an epoch makes `safe` and `finalized` follow one and two blocks behind, as tags that move.
      ...["--no-mining", "--slots-in-an-epoch", "1", "--silent"],
      // Without this anvil writes the whole state of every block below the home directory: gigabytes an hour.
      ...["--prune-history", String(STATES_KEPT), "--cache-path", cache],
      ...(options.stateFile === undefined ? [] : ["--state", options.stateFile]),
    ],
    { stdio: ["ignore", "ignore", "pipe"], detached: own, windowsHide: true },
  );
  let complaint = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    complaint = (complaint + text).slice(-2000);
  });
  const ended = new Promise<string>((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("exit", (code, signal) => resolve(complaint.trim() || `it ended with ${signal ?? `exit code ${code}`}`));
  });
  const watchdog = startWatchdog(child, cache);
  const kill = () => child.kill();
  process.once("exit", kill);
  const gone = ended.then(() => {
    process.off("exit", kill);
    watchdog?.kill("SIGKILL");
    rmSync(cache, { recursive: true, force: true });
  });

  const rpcUrl = `http://127.0.0.1:${port}`;
  const over = new AbortController();
  const failed = await Promise.race([ended, answers(rpcUrl, options.chainId, over.signal)]);
  over.abort(); // else the question is asked, and the process held up, until the time is out
  if (failed !== null) {
    child.kill();
    throw new AnvilError(startFailure(failed, port, options.stateFile));
  }
  const clock = startBlockClock(rpcUrl, options.blockTimeSeconds ?? 0.25);

  let stopping: Promise<void> | undefined;
  const stop = async () => {
    clock.stop();
    child.kill("SIGTERM"); // anvil writes its state on SIGTERM
    const slow = setTimeout(() => child.kill("SIGKILL"), STOP_SECONDS * 1000);
    await gone;
    clearTimeout(slow);
  };
  return {
    rpcUrl,
    pid: child.pid as number,
    undisturbed: clock.undisturbed,
    stop: () => {
      stopping ??= stop();
      return stopping;
    },
  };
}

/**
 * The path of anvil's binary for this platform (npm `@foundry-rs/anvil-<platform>-<arch>`, prebuilt).
 * @throws {AnvilError} that names the platform where there is none
 */
export function anvilBinary(platform: string = process.platform, arch: string = process.arch): string {
  const name = `@foundry-rs/anvil-${platform}-${arch === "x64" ? "amd64" : arch}`;
  try {
    return createRequire(import.meta.url).resolve(`${name}/bin/anvil${platform === "win32" ? ".exe" : ""}`);
  } catch (cause) {
    const message = `No local chain for ${platform} on ${arch}: the package ${name} is not installed. Anvil comes for Linux and macOS on x64 and arm64, and for Windows on x64; there, run npm install without --omit=optional.`;
    throw new AnvilError(message, { cause });
  }
}

/** A process that waits for our end of a pipe to close, which the system does however we die, and then stops anvil. */
function startWatchdog(anvil: ChildProcess, cache: string): ChildProcess | undefined {
  if (anvil.pid === undefined) return undefined;
  const pid = String(anvil.pid);
  const options = {
    stdio: ["pipe", "ignore", "ignore"] as ["pipe", "ignore", "ignore"],
    detached: true,
    windowsHide: true,
  };
  const script = "process.stdin.resume().on('end', () => process.kill(+process.argv[1]))";
  const watchdog =
    process.platform === "win32"
      ? spawn(process.execPath, ["-e", script, pid], options)
      : spawn("/bin/sh", ["-c", 'cat >/dev/null; kill "$0"; rm -rf "$1"', pid, cache], options);
  watchdog.on("error", () => {}); // without a watchdog the exit handler still stops the chain
  watchdog.stdin.on("error", () => {});
  watchdog.unref();
  (watchdog.stdin as unknown as { unref(): void }).unref();
  return watchdog;
}

/** Null once the chain answers with its id, else why it does not. */
async function answers(rpcUrl: string, chainId: number, over: AbortSignal): Promise<string | null> {
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "eth_chainId", params: [] });
  const end = Date.now() + START_SECONDS * 1000;
  while (Date.now() < end && !over.aborted) {
    try {
      const response = await fetch(rpcUrl, { method: "POST", headers: { "content-type": "application/json" }, body });
      const { result } = (await response.json()) as { result: string };
      return Number(result) === chainId ? null : `chain ${Number(result)} answers there instead of ${chainId}`;
    } catch {
      await sleep(20);
    }
  }
  return `no answer within ${START_SECONDS} s`;
}

/** Anvil's own complaint in one line; a state that it cannot load is named with the way out. */
function startFailure(complaint: string, port: number, stateFile: string | undefined): string {
  const said = complaint.replace(/^error: /, "").split("\n", 1)[0];
  return stateFile !== undefined && complaint.includes("--state")
    ? `The local chain cannot be loaded from ${stateFile}: move its data directory away to start with a new chain, or name another with --data (${said})`
    : `The local chain did not start on 127.0.0.1:${port}: ${said}`;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return typeof address === "object" && address !== null ? address.port : 0;
}

/** The local chain is not there; the message says why. */
export class AnvilError extends Error {
  override readonly name = "AnvilError";
}
