/**
 * One round of the watcher: hands on what the chain shows since the last one. Everything it must remember is in the
 * store's cursor, and facts are durable elsewhere before the cursor moves, so a round may die anywhere and be done
 * again. No block is passed over: the cursor moves to the end of a range only when a node has shown that block.
 *
 * Three passes of the same code: every range once when it is new, once more when it is safe, and once when it is
 * final. What a pass shows and was not handed on is; what was handed on and is gone from the chain is taken back.
 */

import { readBlocks } from "./block-at.ts";
import { type ChainClient, chooseFewer, complainOf } from "./client.ts";
import { type Cursor, firstCursor, readCursor } from "./cursor.ts";
import { handFacts, handPending, handRange, knownOf, payerOf } from "./handing.ts";
import { type Heads, headsEvent, readHeads, readLatest } from "./heads.ts";
import { forget, logKey } from "./journal.ts";
import { leaseFor } from "./lease.ts";
import { backfillBlocks, nextRange, type PassRange } from "./passes.ts";
import { checkHistory, wentBack } from "./reorg.ts";
import { RpcError } from "./rpc-error.ts";
import {
  emptyMemory,
  hand,
  move,
  REORG_BLOCKS,
  type Run,
  settledFloor,
  type WatchMemory,
  type WatchPorts,
} from "./run.ts";
import { readMovements } from "./scan.ts";
import { findStragglers } from "./stragglers.ts";
import { dropJob, leavingWallets, movesOf, noteMoves, readKnown, walletsOfJob, writeJobs } from "./wallets.ts";

export type { WatchMemory, WatchPorts } from "./run.ts";
export { emptyMemory } from "./run.ts";

/** What one round did. */
export interface Round {
  readonly heads: Heads;
  /** Last block read. */
  readonly scanned: number;
  /** Blocks still unread, the past of new wallets included. 0: all is read. */
  readonly behind: number;
  /** Those of the past among them. */
  readonly backfilling: number;
  readonly events: number;
  /** A node did not have what another, or the same, had shown before: the cursor stood still. */
  readonly lagging: boolean;
  /** The block that the chain was read again from, when blocks had gone. */
  readonly reorgedTo: number | null;
  /** What a node refused: a range, which made the next ones smaller or ended the round early, or a question. */
  readonly limited: RpcError | null;
}

/** Ranges in one round, so that a long backfill gives way to heads, wallets and a stop. */
const RANGES_PER_ROUND = 20;
/** Blocks that a shrinking range keeps where the node minds the number of calls, not their size. */
const RATE_SPAN_MIN = 64;
/** How long safe and final heads are good for: they move with the chain below, every dozen seconds or less often. */
const HEADS_MS = 20_000;
/** Blocks below the floor that the journal keeps until they are worth a deletion. */
const PRUNE_BLOCKS = 500;
/** How long a past that a node could not show is left alone. */
const PAST_RESTS_MS = 30_000;

type Outcome = "scanned" | "lagging" | "reorged" | RpcError;

/**
 * One round, to be repeated.
 * @throws {RpcError} no node answered, one refuses even a single block, or the chain has another history than was read
 * @throws {LeaseHeld} another watcher holds the lease
 * @throws {CursorConflict} another watcher, or a command, moved the cursor
 */
export async function watchRound(ports: WatchPorts, memory: WatchMemory = emptyMemory()): Promise<Round> {
  const { client, store, startBlock } = ports;
  const stored = await readCursor(store, client.chainId);
  const lease = leaseFor(stored?.cursor.lease ?? null, ports.holder, ports.now());
  const heads = await headsNow(ports, memory);
  const reader = client.endpoints[client.last];
  const start = typeof startBlock === "function" ? startBlock(heads.latest.number) : startBlock;
  const held = stored ?? { cursor: await bornCursor(client, start ?? heads.latest.number), version: null };
  const run: Run = { ...ports, memory, heads, held, addresses: [], leaving: new Map(), events: 0, reader };
  if (lease.fence !== held.cursor.lease?.fence) memory.known = null; // another may have watched meanwhile
  if (lease !== held.cursor.lease) await move(run, held.cursor);

  const result = { lagging: false, reorgedTo: null as number | null, limited: null as RpcError | null };
  if (heads.latest.number < held.cursor.scanned) {
    await checkHistory(client, held.cursor, heads.latest.number);
    complainOfReader(run);
    result.lagging = true;
  } else {
    await handPending(run);
    await takeWallets(run);
    Object.assign(result, await readRanges(run));
    await handHeads(run);
    await prune(run);
    result.limited ??= await handStragglers(run);
  }
  const { cursor } = run.held;
  const backfilling = backfillBlocks(cursor);
  const behind = Math.max(0, run.heads.latest.number - cursor.scanned) + backfilling;
  return { heads: run.heads, scanned: cursor.scanned, behind, backfilling, events: run.events, ...result };
}

/** A cursor that knows from the beginning a block which is not expected to go: what lacks it is another chain. */
async function bornCursor(client: ChainClient, start: number): Promise<Cursor> {
  const [mark] = await readBlocks(client, [Math.max(0, start - REORG_BLOCKS)]);
  const marks = mark === undefined ? [] : [{ number: mark.number, hash: mark.hash }];
  return { ...firstCursor(start), marks };
}

/** The heads: all three are asked for when they are old, else the newest block alone. */
async function headsNow({ client, headsMs = HEADS_MS }: WatchPorts, memory: WatchMemory): Promise<Heads> {
  if (memory.heads !== null && client.clock() - memory.heads.atMs < headsMs)
    return { ...memory.heads.heads, latest: await readLatest(client) };
  const heads = await readHeads(client);
  memory.heads = { heads, atMs: client.clock() };
  return heads;
}

const numbersOf = (heads: Heads) => ({
  latest: heads.latest.number,
  safe: heads.safe.number,
  final: heads.final.number,
  floor: settledFloor(heads),
});

async function readRanges(run: Run): Promise<Pick<Round, "lagging" | "reorgedTo" | "limited">> {
  const { client, memory } = run;
  let reorgedTo: number | null = null;
  for (let ranges = 0; ranges < RANGES_PER_ROUND; ranges++) {
    const isPastRead = client.clock() >= memory.pastRestsUntilMs;
    const range = nextRange(run.held.cursor, numbersOf(run.heads), isPastRead);
    if (range === null) break;
    const outcome = await readRange(run, range);
    if (outcome === "reorged") {
      reorgedTo = await goBack(run);
      if (reorgedTo === null) return { lagging: true, reorgedTo, limited: null };
    } else if (outcome === "lagging") {
      complainOfReader(run);
      return { lagging: true, reorgedTo, limited: null };
    } else if (outcome !== "scanned") {
      if (range.pass === "backfill") await postpone(run);
      return { lagging: false, reorgedTo, limited: outcome };
    }
  }
  return { lagging: false, reorgedTo, limited: null };
}

/** Reads one range and moves the cursor past it, once all that it showed is durable. */
async function readRange(run: Run, range: PassRange): Promise<Outcome> {
  const { client, asset, store } = run;
  const { fromBlock, toBlock, job } = range;
  const { cursor } = run.held;
  // In each pass: a node on a branch that was left has logs of its own, in blocks that nobody else has.
  const anchor = cursor.marks.at(-1);
  try {
    const wallets = (job === null ? null : await walletsOfJob(store, client.chainId, job)) ?? run.addresses;
    const known = await knownOf(run, fromBlock, toBlock);
    const asked = new Set(wallets);
    // The logs of a block that is read once more prove it as well as the block would.
    const isAnchorLogged = [...known.facts.values()].some(
      (fact) => fact.blockNumber === anchor?.number && asked.has(payerOf(fact)),
    );
    const scan = { chainId: client.chainId, asset, wallets, fromBlock, toBlock, anchor, isAnchorLogged };
    const reading = await readMovements(client, scan);
    run.reader = client.endpoints[client.last];
    if (reading.kind !== "scanned") return reading.kind;
    if (!(await handRange(run, range, reading, wallets, known))) return "lagging";
    if (job !== null && toBlock >= job.to) await dropJob(store, client.chainId, job);
    return "scanned";
  } catch (error) {
    if (!(error instanceof RpcError) || error.fault === "config") throw error;
    // A reorg came between, or another node answers. Of a past it is no lag: the node does not keep it.
    if (error.isMissing && job === null) return "lagging";
    return refusal(run, range, cursor, error);
  }
}

/** What a refusal of a range makes of the next ones; thrown where the newest blocks cannot be read at all. */
async function refusal(run: Run, { pass, fromBlock, toBlock }: PassRange, cursor: Cursor, error: RpcError) {
  const length = toBlock - fromBlock + 1;
  const isFewer = error.fault === "limit" && chooseFewer(run.client, error, length === 1);
  if (error.fault === "unavailable" || (error.fault === "limit" && length === 1 && !isFewer)) {
    if (pass === "fast") throw error;
    return error;
  }
  const span = Math.floor(Math.min(length, cursor.span) / 2);
  if (!isFewer && (error.fault === "limit" || span >= RATE_SPAN_MIN))
    await move(run, { ...run.held.cursor, span: Math.max(1, span) });
  return error;
}

/** A past that a node cannot show waits behind the others, and all of it for a while. */
async function postpone(run: Run): Promise<void> {
  const { memory, client } = run;
  memory.pastRestsUntilMs = client.clock() + PAST_RESTS_MS;
  const [first, ...rest] = run.held.cursor.backfills;
  if (first !== undefined && rest.length > 0) await move(run, { ...run.held.cursor, backfills: [...rest, first] });
}

/** Wallets that came, came back or left; the past of the former is queued before they count as watched. */
async function takeWallets(run: Run): Promise<void> {
  const { client, store, memory } = run;
  const wallets = await run.wallets();
  memory.known ??= await readKnown(store, client.chainId);
  const { cursor } = run.held;
  const moves = movesOf(memory.known, wallets, cursor);
  if (moves.backfills.length > 0) {
    const jobs = await writeJobs(store, client.chainId, moves.backfills);
    await move(run, { ...cursor, backfills: [...cursor.backfills, ...jobs] });
  }
  await noteMoves(store, client.chainId, memory.known, moves, cursor.scanned);
  // One that left is read on until the blocks in which it was watched cannot go any more.
  run.leaving = leavingWallets(memory.known, cursor);
  run.addresses = [...new Set([...wallets.map(({ address }) => address), ...run.leaving.keys()])];
}

/** After a reorg: the cursor stands on the last block read that is still there; the passes find what is gone behind it. */
async function goBack(run: Run): Promise<number | null> {
  const back = await wentBack(run.client, run.held.cursor, run.memory.dispute);
  if (back === null) return null;
  await move(run, back);
  return back.scanned;
}

function complainOfReader({ client, reader }: { readonly client: ChainClient; readonly reader: Run["reader"] }): void {
  if (reader !== undefined) complainOf(client, reader);
}

async function handHeads(run: Run): Promise<void> {
  const event = headsEvent(run.client.chainId, run.heads);
  if (event.id === run.memory.toldHeads) return;
  await hand(run, [event]);
  run.memory.toldHeads = event.id;
}

/** Hands on what the stragglers' questions brought; answers the refusal of those that were not answered. */
async function handStragglers(run: Run): Promise<RpcError | null> {
  if (run.candidates === undefined) return null;
  const { client, asset, heads, held, memory } = run;
  const open = await run.candidates();
  const found = await findStragglers(client, asset, open, heads, held.cursor, memory.stragglers);
  await hand(run, found.events);
  for (const facts of found.settled) {
    const [first] = facts;
    if (first === undefined) continue;
    const { blockNumber, at } = first;
    const { facts: known } = await knownOf(run, blockNumber, blockNumber);
    const fresh = facts.filter((fact) => !known.has(logKey(fact)));
    await handFacts(run, { fromBlock: blockNumber, toBlock: blockNumber, at, facts: fresh });
    if (run.held.cursor.pending !== null) await move(run, { ...run.held.cursor, pending: null });
  }
  return found.failed;
}

/** Pages of blocks that are final for good are deleted, many at once. */
async function prune(run: Run): Promise<void> {
  const { floor, pruned } = run.held.cursor;
  if (floor - pruned < PRUNE_BLOCKS) return;
  const isMore = await forget(run.store, run.client.chainId, floor);
  if (!isMore) await move(run, { ...run.held.cursor, pruned: floor });
}
