/**
 * A second reading of the chain, apart from the watcher: all that left the wallets in one UTC day, and USDC's own
 * balances at its ends, so that the day can be proved to the unit. Reads only; keeps nothing but where days begin.
 */
import type { ChainDay, ChainMovement, Day, WalletBalances } from "@bursar/core/chain-day";
import { paymentId } from "@bursar/events/ids";
import { chainBalances } from "./balances.ts";
import type { Block } from "./block.ts";
import { firstBlockAt, readBlocks } from "./block-at.ts";
import { type ChainClient, hostOf } from "./client.ts";
import { type Heads, readHeads } from "./heads.ts";
import { incomingOf } from "./incoming.ts";
import { patiently, type Wait } from "./patience.ts";
import { RpcError } from "./rpc-error.ts";
import { type Fact, paymentOf, type Scan, scanRange } from "./scan.ts";

/** First blocks by unix time, of blocks that are final: they never change. Keep one for many audits of one chain. */
export type KnownBlocks = Map<number, number>;

export interface AuditOptions {
  readonly client: ChainClient;
  /** USDC's contract, lower case. */
  readonly asset: string;
  /** Lower case. */
  readonly wallets: readonly string[];
  readonly day: Day;
  /** Blocks after this one are left out: the table has not read them. Null for no such bound. */
  readonly through: number | null;
  readonly known?: KnownBlocks | undefined;
  /** Blocks read of how many. */
  readonly onProgress?: ((done: number, whole: number) => void) | undefined;
  readonly wait?: Wait | undefined;
}

/** Blocks asked at once: providers commonly cap eth_getLogs at 10,000, and some give far more. */
const SPAN_FIRST = 10_000;
const SPAN_MAX = 100_000;
/** Times that a reading begins anew because blocks were replaced meanwhile. */
const READINGS_MAX = 5;

/** @throws {RpcError} where the chain cannot be read; never for balances that the node does not have */
export async function auditDay(options: AuditOptions): Promise<ChainDay> {
  const { wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms)), known = new Map() } = options;
  const run: Run = { ...options, wait, known };
  for (let reading = 1; ; reading++) {
    const found = await readDay(run);
    if (found !== "reorged") return found;
    known.clear(); // where final blocks go, days begin elsewhere
    if (reading === READINGS_MAX)
      throw new RpcError(
        "unavailable",
        hostOf(run.client),
        "its blocks were replaced again and again while they were read",
      );
  }
}

interface Run extends AuditOptions {
  readonly wait: Wait;
  readonly known: KnownBlocks;
}

async function readDay(run: Run): Promise<ChainDay | "reorged"> {
  const { client, day, through } = run;
  const heads = await patiently(client, run.wait, () => readHeads(client));
  const first = await boundary(run, day.start, heads, -1);
  const after = first === null ? null : await boundary(run, day.end, heads, first - 1);
  const isOver = after !== null;
  const last = after === null ? heads.latest.number : after - 1;
  const nothing = { movements: [], balances: null, unproved: null };
  if (first === null || last < first) return { blocks: null, endAt: null, isOver, unread: 0, ...nothing };
  const to = through === null ? last : Math.min(last, through);
  if (to < first) return { blocks: null, endAt: null, isOver, unread: last - first + 1, ...nothing };

  const read = await readRanges(run, first, to);
  if (read === "reorged") return "reorged";
  const { end, facts, incoming } = read;
  const unread = last - to;
  const base = { blocks: { from: first, to }, endAt: end.at, isOver, unread, movements: movementsOf(facts) };
  try {
    return { ...base, balances: await balancesOf(run, first, end, incoming), unproved: null };
  } catch (error) {
    if (!(error instanceof RpcError)) throw error;
    return { ...base, balances: null, unproved: error.message };
  }
}

/** The first block at or after a time, kept where it is final. */
async function boundary(run: Run, at: string, heads: Heads, floor: number): Promise<number | null> {
  const { client, known, wait } = run;
  const seconds = Math.floor(Date.parse(at) / 1000);
  const kept = known.get(seconds);
  if (kept !== undefined) return kept;
  const found = await patiently(client, wait, () => firstBlockAt(client, seconds, heads.latest, floor));
  if (found !== null && found <= heads.final.number) known.set(seconds, found);
  return found;
}

interface Ranges {
  readonly end: Block;
  readonly facts: readonly Fact[];
  readonly incoming: ReadonlyMap<string, bigint>;
}

async function readRanges(run: Run, first: number, to: number): Promise<Ranges | "reorged"> {
  const { client, asset, wallets, onProgress = () => {} } = run;
  const facts: Fact[] = [];
  const incoming = new Map<string, bigint>();
  let [span, spanMax] = [SPAN_FIRST, SPAN_MAX];
  let end: Block | undefined;
  for (let next = first; next <= to; ) {
    const toBlock = Math.min(to, next + span - 1);
    const fromBlock = next;
    const anchor = end;
    const answer = await patiently(client, run.wait, () =>
      smallerOnLimit(toBlock > fromBlock, async () => {
        const scan = await scanRange(client, { chainId: client.chainId, asset, wallets, fromBlock, toBlock, anchor });
        if (scan.kind === "lagging") throw lags(client, toBlock);
        if (scan.kind === "reorged") return scan;
        return { ...scan, came: await incomingOf(client, asset, wallets, fromBlock, scan.end) };
      }),
    );
    if (answer === "smaller") {
      spanMax = Math.max(1, Math.floor((toBlock - fromBlock + 1) / 2));
      span = spanMax;
      continue;
    }
    if (answer.kind === "reorged") return "reorged";
    for (const fact of answer.facts) facts.push(fact);
    for (const [wallet, amount] of answer.came) incoming.set(wallet, (incoming.get(wallet) ?? 0n) + amount);
    end = answer.end;
    next = toBlock + 1;
    span = Math.min(spanMax, span * 2);
    onProgress(next - first, to - first + 1);
  }
  return { end: end as Block, facts, incoming };
}

type Came = Extract<Scan, { kind: "scanned" }> & { readonly came: ReadonlyMap<string, bigint> };
type Answer = Came | Extract<Scan, { kind: "reorged" }>;

/** A range that is too large for the node is no failure while there is a smaller one. */
async function smallerOnLimit(canShrink: boolean, ask: () => Promise<Answer>): Promise<Answer | "smaller"> {
  try {
    return await ask();
  } catch (error) {
    if (canShrink && error instanceof RpcError && error.fault === "limit") return "smaller";
    throw error;
  }
}

/**
 * What each wallet holds after a block, atomic units.
 * @throws {RpcError} where the node has no state of that block (any but an archive node, for old ones)
 */
async function balancesAt({ client, asset, wallets }: Run, block: number): Promise<ReadonlyMap<string, bigint>> {
  const reading = await chainBalances(client, asset).read(wallets, block, []);
  return new Map(
    wallets.map((wallet) => {
      const balance = reading.wallets.get(wallet)?.balance ?? null;
      if (balance === null)
        throw new RpcError("unavailable", hostOf(client), `has no balance of ${wallet} at block ${block}`);
      return [wallet, balance];
    }),
  );
}

async function balancesOf(
  run: Run,
  first: number,
  end: Block,
  incoming: ReadonlyMap<string, bigint>,
): Promise<ReadonlyMap<string, WalletBalances>> {
  const { client, wallets } = run;
  const opening = first === 0 ? new Map<string, bigint>() : await balancesAt(run, first - 1);
  const closing = await balancesAt(run, end.number);
  // The same block still: balances are asked by its number.
  const [still] = await readBlocks(client, [end.number]);
  if (still?.hash !== end.hash)
    throw new RpcError("unavailable", hostOf(client), `replaced block ${end.number} meanwhile`);
  return new Map(
    wallets.map((wallet) => [
      wallet,
      {
        opening: opening.get(wallet) ?? 0n,
        incoming: incoming.get(wallet) ?? 0n,
        closing: closing.get(wallet) ?? 0n,
      },
    ]),
  );
}

/** Each once, whatever a node answers twice. */
function movementsOf(facts: readonly Fact[]): readonly ChainMovement[] {
  return [...new Map(facts.map(movementOf).map((movement) => [movement.id, movement])).values()];
}

function movementOf(fact: Fact): ChainMovement {
  const { payee, amount, at, blockNumber, txHash } = fact;
  const key = paymentOf(fact);
  const wallet = key.method === "eip3009" ? key.payer : (fact as Extract<Fact, { payer: string }>).payer;
  return { id: paymentId(key), wallet, payee, amount: BigInt(amount), at, blockNumber, txHash };
}

function lags(client: ChainClient, block: number): RpcError {
  return new RpcError("unavailable", hostOf(client), `lags: it does not have block ${block}`);
}
