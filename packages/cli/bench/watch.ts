/**
 * What it costs to know that payments settled, and how soon it is known: `node packages/cli/bench/run.mjs only-watch.ts`,
 * or `npm run bench`.
 *
 * A local Arbitrum (anvil, genuine USDC, a block each 250 ms); real EIP-3009 payments, a transaction each, sent at a
 * steady pace whatever is answered. Readers, each in a process of its own and behind a proxy of its own that counts: the
 * machine, which also hears what agents and API say, at two poll intervals, and viem's waitForTransactionReceipt for
 * every payment, at its own interval for Arbitrum and at the machine's. All read the same payments in the same run.
 * A delay begins when anvil tells of the block (newHeads).
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Devnet, startDevnet } from "@bursar/demo/devnet";
import { balanceOf } from "@bursar/demo/usdc";
import { createClient, webSocket } from "viem";
import { getBlock, sendRawTransaction } from "viem/actions";
import { between, type Counts } from "./counting-proxy.ts";
import { percentile } from "./latencies.ts";
import { type Reader, startMachineReader, startViemReader } from "./watch-readers.ts";
import { AMOUNT, createWorld, type Signed, signPayments, type WatchWorld } from "./watch-world.ts";

/**
 * Rates are payments a second, 0 for none; poll intervals are the machine's. At the highest rate one machine at a time:
 * readers share the cores with each other.
 */
const RUNS: readonly { readonly rates: readonly number[]; readonly intervalsMs: readonly number[] }[] = [
  { rates: [0, 1, 10], intervalsMs: [2_000, 1_000] },
  { rates: [50], intervalsMs: [2_000] },
  { rates: [50], intervalsMs: [1_000] },
];
const SECONDS = 60;
/** At each rate, before what is measured. */
const WARM_UP_SECONDS = 10;
/** From the transaction to what agent and API say of the content. */
const ANSWER_MS = 1_000;
const PATIENCE_MS = 60_000;
const WIDTH = 40;

/** Measures each run at each of its rates for `seconds`; prints a table for each. */
export async function benchWatch(seconds = SECONDS): Promise<void> {
  const cores = `${cpus().length} cores (${cpus()[0]?.model.trim()})`;
  console.log(`from block to settled, ${cores}, local Arbitrum, ${seconds} s each; bytes are of bodies, both ways`);
  const devnet = await startDevnet();
  const blocks = await followBlocks(devnet.rpcUrl);
  try {
    const world = await createWorld(devnet);
    const countAt = (rate: number): number => rate * (WARM_UP_SECONDS + seconds);
    const count = RUNS.flatMap(({ rates }) => rates).reduce((sum, rate) => sum + countAt(rate), 0);
    // All beforehand: while this process signs it makes no blocks.
    const signed = await signPayments(devnet, world, count);
    let paid = 0;
    for (const { rates, intervalsMs } of RUNS)
      await withReaders(devnet.rpcUrl, world, intervalsMs, async (readers) => {
        for (const rate of rates) {
          const payments = signed.slice(paid, paid + countAt(rate));
          const window = await run(devnet, readers, payments, rate, seconds);
          if (rate === 0) reportIdle(readers, window, seconds);
          else await reportRate(devnet, readers, payments, rate, window, blocks.madeAt);
          paid += payments.length;
        }
      });
    const received = await balanceOf(devnet.client, world.payTo.address);
    if (received !== AMOUNT * BigInt(paid)) throw new Error(`USDC says ${received} for ${paid} payments of ${AMOUNT}`);
  } finally {
    await blocks.close();
    await devnet.stop();
  }
}

/** Starts the machine and viem at each interval, and viem at its own, for as long as `use` runs. */
async function withReaders(
  rpcUrl: string,
  { config }: WatchWorld,
  intervalsMs: readonly number[],
  use: (readers: readonly Reader[]) => Promise<void>,
): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "bursar-bench-"));
  const readers: Reader[] = [];
  try {
    const configFile = join(directory, "config.json");
    writeFileSync(configFile, JSON.stringify(config));
    for (const intervalMs of intervalsMs)
      readers.push(await startMachineReader(rpcUrl, join(directory, `${intervalMs}`), configFile, intervalMs));
    for (const intervalMs of [undefined, ...intervalsMs]) readers.push(await startViemReader(rpcUrl, intervalMs));
    await use(readers);
  } finally {
    for (const reader of readers) await reader.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

/** What had gone through each proxy at one moment, and when that was. */
interface Look {
  readonly at: number;
  readonly counts: readonly Counts[];
}

const look = (readers: readonly Reader[]): Look => ({
  at: Date.now(),
  counts: readers.map(({ proxy }) => proxy.counts()),
});

interface Window {
  readonly begin: Look;
  readonly end: Look;
}

/** Sends the payments, and waits until every reader knows of each. */
async function run(
  devnet: Devnet,
  readers: readonly Reader[],
  payments: readonly Signed[],
  rate: number,
  seconds: number,
): Promise<Window> {
  const sending = sendAll(devnet, readers, payments, rate);
  await sleep(WARM_UP_SECONDS * 1000);
  const begin = look(readers);
  await sleep(seconds * 1000);
  const end = look(readers);
  await sending;
  const late = Date.now() + PATIENCE_MS;
  for (const { name, confirmed, nameOf } of readers) {
    const open = () => payments.filter((payment) => !confirmed.has(nameOf(payment))).length;
    while (open() > 0) {
      if (Date.now() > late) throw new Error(`${name} has not confirmed ${open()} of ${payments.length} payments`);
      await sleep(100);
    }
  }
  return { begin, end };
}

/** An open loop: a payment is sent when it is due, whatever became of those before. */
async function sendAll(devnet: Devnet, readers: readonly Reader[], payments: readonly Signed[], rate: number) {
  const begin = performance.now();
  const underWay: Promise<void>[] = [];
  const one = async (payment: Signed): Promise<void> => {
    await sendRawTransaction(devnet.client, { serializedTransaction: payment.transaction });
    for (const reader of readers) reader.sent(payment);
    await sleep(ANSWER_MS);
    for (const reader of readers) reader.done(payment);
  };
  for (const [n, payment] of payments.entries()) {
    await sleep(Math.max(0, begin + (n * 1000) / rate - performance.now()));
    underWay.push(one(payment));
  }
  await Promise.all(underWay);
}

function reportIdle(readers: readonly Reader[], { begin, end }: Window, seconds: number): void {
  console.log(`  ${"without a payment, a minute".padEnd(WIDTH)} ${cellsOf("calls", "requests", "KB")}`);
  for (const [index, { name }] of readers.entries()) {
    const { calls, requests, bytesUp, bytesDown } = spent(begin, end, index);
    const minute = [calls, requests, (bytesUp + bytesDown) / 1024].map((count) => ((count * 60) / seconds).toFixed(1));
    console.log(`  ${name.padEnd(WIDTH)} ${cellsOf(...minute)}`);
  }
}

/** Calls in the window for each payment whose block was made in it, and the delays of those payments. */
async function reportRate(
  devnet: Devnet,
  readers: readonly Reader[],
  payments: readonly Signed[],
  rate: number,
  { begin, end }: Window,
  madeAt: ReadonlyMap<number, number>,
): Promise<void> {
  const minedAt = await timesOf(devnet, begin.at, madeAt);
  const measured = payments.filter(({ txHash }) => {
    const at = minedAt.get(txHash) ?? 0;
    return at >= begin.at && at < end.at;
  });
  const title = `${rate} payments/s, for each of ${measured.length}`;
  console.log(`  ${title.padEnd(WIDTH)} ${cellsOf("calls", "requests", "bytes", "p50 ms", "p99 ms", "max ms")}`);
  for (const [index, { name, confirmed, nameOf }] of readers.entries()) {
    const { calls, requests, bytesUp, bytesDown } = spent(begin, end, index);
    const delays = measured.map(
      (payment) => (confirmed.get(nameOf(payment)) as number) - (minedAt.get(payment.txHash) as number),
    );
    const each = [calls, requests].map((count) => (count / measured.length).toFixed(3));
    const bytes = Math.round((bytesUp + bytesDown) / measured.length).toLocaleString("en");
    const times = [0.5, 0.99, 1].map((p) => percentile(delays, p).toLocaleString("en"));
    console.log(`  ${name.padEnd(WIDTH)} ${cellsOf(...each, bytes, ...times)}`);
  }
  for (const [index, { name, intervalMs, isMachine }] of readers.entries()) {
    if (!isMachine) continue;
    const rounds = (end.at - begin.at) / intervalMs;
    const methods = Object.entries(spent(begin, end, index).methods)
      .sort(([, a], [, b]) => b - a)
      .map(([method, calls]) => `${(calls / rounds).toFixed(2)} ${method}`);
    console.log(`    ${name}, in ${intervalMs.toLocaleString("en")} ms: ${methods.join(", ")}`);
  }
}

const spent = (begin: Look, end: Look, reader: number): Counts =>
  between(begin.counts[reader] as Counts, end.counts[reader] as Counts);

const cellsOf = (...cells: readonly string[]): string => cells.map((cell) => cell.padStart(10)).join("");

/** When the block of each transaction was made, of blocks since `since`. */
async function timesOf(devnet: Devnet, since: number, madeAt: ReadonlyMap<number, number>) {
  const times = new Map<string, number>();
  for (const [number, at] of madeAt) {
    if (at < since) continue;
    const { transactions } = await getBlock(devnet.client, { blockNumber: BigInt(number) });
    for (const hash of transactions) times.set(hash, at);
  }
  return times;
}

/** When each block was made, as anvil tells it over a WebSocket. */
async function followBlocks(rpcUrl: string) {
  const madeAt = new Map<number, number>();
  const { transport } = createClient({ transport: webSocket(rpcUrl.replace("http", "ws")) });
  const { unsubscribe } = await transport.subscribe({
    params: ["newHeads"],
    onData: ({ result }) => void madeAt.set(Number(result.number), Date.now()),
  });
  return {
    madeAt: madeAt as ReadonlyMap<number, number>,
    async close() {
      await unsubscribe();
      (await transport.getRpcClient()).close();
    },
  };
}
