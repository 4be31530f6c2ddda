/** `bursar watch --once`: one round of the chain's watcher, in the machine that runs, else here over its directory. */
import type { Input } from "../args.ts";
import { addressOf, connect } from "../client.ts";
import { loadConfig } from "../config-file.ts";
import { CommandError, EXIT, UsageError } from "../errors.ts";
import { type Io, printJson, printLines } from "../io.ts";
import { DATA_DEFAULT } from "../reader.ts";
import { rpcUrlsOf } from "../rpc-urls.ts";
import { watchLines } from "../terminal/watch-lines.ts";
import type { Watcher } from "../watcher.ts";

export type WatchedOnce = Awaited<ReturnType<Watcher["round"]>>;

/** A round may read twenty ranges, each by more than one node. */
const ROUND_MS = 5 * 60_000;

export async function run(input: Input, io: Io): Promise<number> {
  if (!input.flag("once"))
    throw new UsageError("A machine that runs watches all the time. For one round now: bursar watch --once");
  const address = addressOf(input, io);
  const machine = await connect(address);
  if (machine === null && address.named)
    throw new CommandError(`No machine answers at ${address.url}. Start one: bursar start`);
  const done =
    machine === null
      ? await onceHere(input, io)
      : ((await machine.client.post("/api/orders/watch", {}, ROUND_MS)) as WatchedOnce);
  if (input.flag("json")) printJson(io, done);
  else printLines(io, watchLines(done, io.screen()));
  return done.lagging || done.limited !== null ? EXIT.failed : EXIT.done;
}

/** Without a machine: its table is opened, what waits in its queue is taken, and one round is done. */
async function onceHere(input: Input, io: Io): Promise<WatchedOnce> {
  const { config } = await loadConfig(input.text("config"), io.cwd);
  const { urls } = rpcUrlsOf(config.chains[0]?.rpcUrls ?? [], io.env);
  if (urls.length === 0)
    throw new CommandError("No machine runs, and the config names no RPC URL: write one into chains[0].rpcUrls.");
  const { startMachine } = await import("../machine.ts");
  const machine = await startMachine({
    data: input.text("data") ?? DATA_DEFAULT,
    config,
    port: 0,
    watch: { rpcUrls: urls },
    log: (line) => io.err.write(`${line}\n`),
  });
  try {
    const watcher = await machine.watching();
    if (watcher === null) throw new CommandError("The chain cannot be watched: see bursar doctor.");
    const done = await watcher.round();
    await machine.drained();
    return done;
  } finally {
    await machine.stop();
  }
}
