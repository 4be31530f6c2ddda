/** `bursar backfill --from BLOCK`: has a past read that nobody has read, or once more, by the machine that runs. */
import { address, canonicalTime } from "@bursar/events/scalars";
import { clean } from "@bursar/events/text";
import type { Input } from "../args.ts";
import type { Client } from "../client.ts";
import { EXIT, UsageError } from "../errors.ts";
import { type Io, printJson, printLines } from "../io.ts";
import { openMachine } from "../reader.ts";
import { count, duration, plural } from "../terminal/figures.ts";
import { cut } from "../terminal/text.ts";
import type { ChainStanding } from "../watcher.ts";

interface Queued {
  readonly fromBlock: number;
  readonly toBlock: number;
  readonly wallets: readonly string[] | null;
}

const LOOK_MS = 500;

export async function run(input: Input, io: Io): Promise<number> {
  const text = input.text("from");
  if (text === null) throw new UsageError("Say from where: --from BLOCK, or a time like 2026-11-20T00:00:00Z.");
  const from = /^\d{1,15}$/.test(text) ? Number(text) : canonicalTime(text);
  if (from === null)
    throw new UsageError(
      `--from is "${clean(text, 80)}": give a block's number, or a time with its offset, like 2026-11-20T00:00:00Z.`,
    );
  const wallets = [...new Set(input.texts("wallet").map(walletOf))];
  const { client } = await openMachine(input, io);
  const body = { from, ...(wallets.length === 0 ? {} : { wallets }) };
  const queued = (await client.post("/api/orders/backfill", body, ORDER_MS)) as Queued;
  const left = input.flag("wait") ? await followed(client, queued, io) : await leftOf(client);
  if (input.flag("json")) printJson(io, { ...queued, left });
  else printLines(io, linesOf(queued, left));
  return EXIT.done;
}

/** Lower case. @throws {UsageError} for what is no address */
function walletOf(text: string): string {
  const parsed = address.safeParse(text);
  if (parsed.success) return parsed.data;
  throw new UsageError(`--wallet is "${clean(text, 80)}": give an address, 0x and 40 hex digits.`);
}

/** The first block of a time is looked for on the chain. */
const ORDER_MS = 60_000;

function linesOf({ fromBlock, toBlock, wallets }: Queued, left: number): string[] {
  const whose = wallets === null ? "all wallets" : plural(wallets.length, "wallet");
  const blocks = `Blocks ${count(fromBlock)} to ${count(toBlock)} of ${whose}`;
  return left === 0
    ? [`${blocks} are read. What they hold is in: bursar payments, bursar reconcile`]
    : [`${blocks} are being read by the machine, ${count(left)} to go; it tells of them as it goes.`];
}

/** Blocks of the past that are still to be read. */
async function leftOf(client: Client): Promise<number> {
  const { chain } = (await client.get("/api/chain")) as { readonly chain: ChainStanding | null };
  return chain?.backfilling ?? 0;
}

/** Waits until nothing of the past is left; a line on a terminal says how far it is. */
async function followed(client: Client, { fromBlock, toBlock }: Queued, io: Io): Promise<number> {
  const screen = io.errScreen();
  const started = performance.now();
  const whole = toBlock - fromBlock + 1;
  // The machine counts the new job with its next round.
  for (let left = whole, looks = 0; left > 0 || looks < 2; looks++) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    left = await leftOf(client);
    if (!screen.live || left === 0) continue;
    const done = Math.max(0, whole - left);
    const seconds = (performance.now() - started) / 1000;
    const rest = done > 0 ? `, about ${duration(Math.ceil((seconds * left) / done))} left` : "";
    io.err.write(
      `\r\u001b[K${cut(`Reading the past: ${count(done)} of ${count(whole)} blocks${rest} ...`, screen.columns - 1, "")}`,
    );
  }
  if (screen.live) io.err.write("\r\u001b[K");
  return 0;
}
