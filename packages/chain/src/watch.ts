/**
 * One round of the watcher: hands on what the chain shows since the last one. Everything it must remember is in the
 * store's cursor, and facts are durable elsewhere before the cursor moves, so a round may die anywhere and be done
 * again. No block is passed over: the cursor moves to the end of a range only when a node has shown that block.
 *
 * Three passes of the same code: every range once when it is new, once more when it is safe, and once when it is
 * final. What a pass shows and was not handed on is; what was handed on and is gone from the chain is taken back.
 */
import type { Store } from "@bursar/core/ports";
import type { Event } from "@bursar/events/contract";
import type { Source } from "@bursar/events/source";
import { type ChainClient, complainOfLast } from "./client.ts";
import { type Cursor, firstCursor, type HeldCursor, readCursor, writeCursor } from "./cursor.ts";
import { type Heads, headsEvent, readHeads, readLatest } from "./heads.ts";
import { forget, logKey, orphanedEvent, type Page, pagesOf, writeDown } from "./journal.ts";
import { leaseFor } from "./lease.ts";
import { expected, type Pace, seen } from "./pace.ts";
import { backfillBlocks, nextRange, type PassRange } from "./passes.ts";
import { checkHistory, type Dispute, standings, wentBack } from "./reorg.ts";
import { RpcError } from "./rpc-error.ts";
import { type Cancelled, describe, type Fact, type Moved, type Reading, readMovements } from "./scan.ts";
import { type Candidates, emptyStragglers, findStragglers, type StragglerMemory } from "./stragglers.ts";
import { type KnownWallets, movesOf, noteMoves, readKnown, type WatchedWallet } from "./wallets.ts";

export interface Emission {
  readonly source: Source;
  readonly event: Event;
}

export interface WatchPorts {
  readonly client: ChainClient;
  readonly store: Pick<Store, "get" | "commit" | "putAll" | "drop" | "facts">;
  /** The token's contract, lower case. */
  readonly asset: string;
  /** Asked every round: wallets may come and go. */
  readonly wallets: () => Promise<readonly WatchedWallet[]> | readonly WatchedWallet[];
  /** Hands facts on; resolves when they are durable. At least once: ids are stable, repeats change nothing. */
  readonly emit: (events: readonly Emission[]) => Promise<void>;
  /** ISO-8601. */
  readonly now: () => string;
  /** Who watches: of two with one table, the one that holds the lease does. */
  readonly holder: string;
  /** Those of the facts that the receiver lacks; asked where the journal does not reach. Default: all of them. */
  readonly lacking?: ((facts: readonly Fact[]) => Promise<readonly Fact[]>) | undefined;
  /** How long safe and final heads are good for, default 15,000 ms. */
  readonly headsMs?: number | undefined;
  /** Where a cursor that does not exist yet begins; default: the latest block. */
  readonly startBlock?: number | undefined;
  /** What only the chain can close: unsettled authorizations, and claimed hashes that the logs did not show. All of them. */
  readonly candidates?: (() => Promise<Candidates> | Candidates) | undefined;
}

/** What a watcher keeps between rounds to save calls and reads; nothing is lost with it. */
export interface WatchMemory {
  /** Wallets by what the table knows of them, once read. */
  known: KnownWallets | null;
  /** The heads as they were last asked for, all three, and when. */
  heads: { readonly heads: Heads; readonly atMs: number } | null;
  pace: Pace | null;
  /** The id of the heads that were handed on last. */
  toldHeads: string | null;
  readonly dispute: Dispute;
  readonly stragglers: StragglerMemory;
}

export const emptyMemory = (): WatchMemory => ({
  known: null,
  heads: null,
  pace: null,
  toldHeads: null,
  dispute: { sinceMs: null },
  stragglers: emptyStragglers(),
});

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
  /** The node's refusal that made the next ranges smaller, or the round end early. */
  readonly limited: RpcError | null;
}

/** Ranges in one round, so that a long backfill gives way to heads, wallets and a stop. */
const RANGES_PER_ROUND = 20;
/** Events in one hand-over. */
const EVENTS_PER_EMIT = 500;
/** Blocks that a shrinking range keeps where the node minds the number of calls, not their size. */
const RATE_SPAN_MIN = 64;
/** How long safe and final heads are good for: they move with the chain below, every dozen seconds or less often. */
const HEADS_MS = 15_000;
/** Blocks that may go though the node calls them final: local chains rewrite what they like. */
const REORG_BLOCKS = 256;
/** Blocks below the floor that the journal keeps until they are worth a deletion. */
const PRUNE_BLOCKS = 500;

/** What a round shares with its ranges: the ports, the heads, and the cursor as it is stored. */
interface Run extends WatchPorts {
  readonly memory: WatchMemory;
  heads: Heads;
  /** The newest block is only guessed: no node has shown it yet. */
  guessed: boolean;
  held: HeldCursor;
  addresses: readonly string[];
  events: number;
}

type Outcome = "scanned" | "lagging" | "reorged" | RpcError;

/**
 * One round, to be repeated.
 * @throws {RpcError} no node answered, one refuses even a single block, or the chain has another history than was read
 * @throws {LeaseHeld} another watcher holds the lease
 * @throws {CursorConflict} another watcher, or a command, moved the cursor
 */
export async function watchRound(ports: WatchPorts, memory: WatchMemory = emptyMemory()): Promise<Round> {
  const { client, store } = ports;
  const stored = await readCursor(store, client.chainId);
  const lease = leaseFor(stored?.cursor.lease ?? null, ports.holder, ports.now());
  const { heads, guessed } = await headsNow(ports, memory, stored?.cursor.scanned ?? null);
  const held = stored ?? { cursor: firstCursor(ports.startBlock ?? heads.latest.number), version: null };
  const run: Run = { ...ports, memory, heads, guessed, held, addresses: [], events: 0 };
  const result = { lagging: false, reorgedTo: null as number | null, limited: null as RpcError | null };
  if (lease.fence !== held.cursor.lease?.fence) memory.known = null; // another may have watched meanwhile
  if (lease !== held.cursor.lease) await move(run, held.cursor);

  if (heads.latest.number < held.cursor.scanned) {
    await checkHistory(client, held.cursor, heads.latest.number);
    complainOfLast(client);
    result.lagging = true;
  } else {
    await handPending(run);
    await takeWallets(run);
    for (let ranges = 0; ranges < RANGES_PER_ROUND; ranges++) {
      const range = nextRange(run.held.cursor, numbersOf(run.heads));
      if (range === null) break;
      const outcome = await readRange(run, range);
      if (outcome === "lagging" && run.guessed) {
        await askLatest(run);
        continue;
      }
      if (outcome === "reorged") {
        result.reorgedTo = await goBack(run);
        result.lagging = result.reorgedTo === null;
      } else if (outcome === "lagging") {
        complainOfLast(client);
        result.lagging = true;
      } else if (outcome !== "scanned") result.limited = outcome;
      if (result.lagging || result.limited !== null) break;
    }
    await handHeads(run);
    await handStragglers(run);
    await prune(run);
  }
  const { cursor } = run.held;
  const backfilling = backfillBlocks(cursor);
  const behind = Math.max(0, run.heads.latest.number - cursor.scanned) + backfilling;
  return { heads: run.heads, scanned: cursor.scanned, behind, backfilling, events: run.events, ...result };
}

/**
 * The heads: asked for by name when they are old, else the newest block alone, or only guessed from the chain's pace: the
 * range's last block will prove it, or not.
 */
async function headsNow(
  { client, headsMs = HEADS_MS }: WatchPorts,
  memory: WatchMemory,
  scanned: number | null,
): Promise<{ readonly heads: Heads; readonly guessed: boolean }> {
  const now = client.clock();
  if (memory.heads === null || now - memory.heads.atMs >= headsMs) {
    const heads = await readHeads(client);
    memory.heads = { heads, atMs: client.clock() };
    memory.pace = seen(memory.pace, heads.latest, client.clock());
    return { heads, guessed: false };
  }
  const { heads } = memory.heads;
  const guess = scanned === null ? null : expected(memory.pace, scanned, now);
  if (guess !== null) return { heads: { ...heads, latest: { ...heads.latest, number: guess } }, guessed: true };
  const latest = await readLatest(client);
  memory.pace = seen(memory.pace, latest, client.clock());
  return { heads: { ...heads, latest }, guessed: false };
}

/** The block that was guessed is not there: the newest one is asked for by name. */
async function askLatest(run: Run): Promise<void> {
  const latest = await readLatest(run.client);
  run.memory.pace = seen(run.memory.pace, latest, run.client.clock());
  run.heads = { ...run.heads, latest };
  run.guessed = false;
}

const numbersOf = (heads: Heads) => ({
  latest: heads.latest.number,
  safe: heads.safe.number,
  final: heads.final.number,
  floor: settledFloor(heads),
});

/** Reads one range and moves the cursor past it, once all that it showed is durable. */
async function readRange(run: Run, range: PassRange): Promise<Outcome> {
  const { client, asset } = run;
  const { cursor } = run.held;
  const { fromBlock, toBlock } = range;
  const wallets = range.wallets ?? run.addresses;
  // In each pass: a node on a branch that was left has logs of its own, in blocks that nobody else has.
  const anchor = cursor.marks.at(-1);
  let reading: Reading;
  try {
    reading = await readMovements(client, { chainId: client.chainId, asset, wallets, fromBlock, toBlock, anchor });
    if (reading.kind !== "scanned") return reading.kind;
    return (await handRange(run, range, reading)) ? "scanned" : "lagging";
  } catch (error) {
    if (!(error instanceof RpcError) || (error.fault !== "limit" && error.fault !== "rate")) throw error;
    const length = toBlock - fromBlock + 1;
    if (error.fault === "limit" && length === 1) throw error;
    const span = Math.floor(Math.min(length, cursor.span) / 2);
    if (error.fault === "limit" || span >= RATE_SPAN_MIN)
      await move(run, { ...run.held.cursor, span: Math.max(1, span) });
    return error;
  }
}

/** Hands on what is new in the range and takes back what is gone, then moves the cursor. False: the node lags. */
async function handRange(run: Run, range: PassRange, reading: Extract<Reading, { kind: "scanned" }>): Promise<boolean> {
  const { client, store, asset, heads } = run;
  const { chainId } = client;
  const { fromBlock, toBlock } = range;
  const pages = await pagesOf(store, chainId, fromBlock, toBlock);
  const known = new Set(pages.flatMap(({ facts }) => facts.map(logKey)));
  const fresh = reading.moved.filter((each) => !known.has(logKey(each)));
  const gone = await gonePages(run, pages, reading.moved, range.wallets ?? run.addresses);
  if (gone === null) return false;
  const cancelled = isSafeRead(range, heads) ? reading.cancelled.filter(isAtMost(heads.safe.number)) : [];
  const described = await describe(client, { chainId, asset }, reading, fresh, cancelled);
  if (described === null) return false;

  const floor = settledFloor(heads);
  const reach = Math.max(run.held.cursor.floor, floor);
  const old = described.facts.filter(({ blockNumber }) => blockNumber <= reach);
  const loose = described.facts.filter(({ blockNumber }) => blockNumber > reach);
  const lacking = old.length === 0 || run.lacking === undefined ? old : await run.lacking(old);
  if (lacking.length + loose.length + gone.length > 0) {
    const { seq } = run.held.cursor;
    // The write makes the two sequence numbers ours, and says where to look should a crash come now.
    await move(run, { ...run.held.cursor, seq: seq + 2, pending: { seq: seq + 1, fromBlock, toBlock } });
    await writeDown(store, chainId, loose, seq + 1);
    // Taken back first and with the lower number: a transaction that moved to another block is taken back there and
    // settled here. One that is settled elsewhere by the same log is superseded, not taken back.
    const elsewhere = gone.length === 0 ? new Set<string>() : await liveLogs(run, gone, described.facts);
    const lost = gone.flatMap(({ facts }) => facts).filter((fact) => !elsewhere.has(registerKey(fact)));
    await hand(
      run,
      lost.map((fact) => orphanedEvent(chainId, fact, seq, reading.end.at)),
    );
    await hand(
      run,
      [...lacking, ...loose].map((fact): Event => ({ ...fact, seq: seq + 1 })),
    );
    await store.drop(gone);
  }
  await hand(run, described.cancelled);
  if (range.pass === "fast" && reading.end.number >= heads.latest.number) {
    run.heads = { ...heads, latest: reading.end };
    run.guessed = false;
  }
  await move(run, { ...range.moved(run.held.cursor, reading.end, floor), pending: null });
  return true;
}

/** A cancellation counts in blocks that cannot go again; it is handed on when they are read as such. */
const isSafeRead = ({ pass, toBlock }: PassRange, heads: Heads): boolean =>
  toBlock <= heads.safe.number || pass === "backfill";

const isAtMost =
  (block: number) =>
  ({ blockNumber }: Cancelled): boolean =>
    blockNumber <= block;

/**
 * The pages whose blocks are gone, by the word of every node. Null while nobody can tell, or where the node that was
 * read leaves out a movement of a block that stands.
 */
async function gonePages(
  { client, memory }: Run,
  pages: readonly Page[],
  moved: readonly Moved[],
  wallets: readonly string[],
): Promise<readonly Page[] | null> {
  const found = new Set(moved.map(logKey));
  const suspect = pages.filter(({ facts }) => facts.some((fact) => !found.has(logKey(fact))));
  if (suspect.length === 0) return [];
  const asked = new Set(wallets);
  const marks = suspect.map(({ blockNumber, blockHash }) => ({ number: blockNumber, hash: blockHash }));
  const standing = await standings(client, marks, memory.dispute);
  const gone: Page[] = [];
  for (const [index, page] of suspect.entries()) {
    if (standing[index] === "gone") gone.push(page);
    else if (standing[index] !== "there") return null;
    else if (page.facts.some((fact) => asked.has(payerOf(fact)) && !found.has(logKey(fact)))) return null;
  }
  return gone;
}

/** Logs that are settled by another block than those that are gone: by what was handed on, or is about to be. */
async function liveLogs(run: Run, gone: readonly Page[], fresh: readonly Fact[]): Promise<Set<string>> {
  const { client, store, held } = run;
  const dead = new Set(gone.map(({ sk }) => sk));
  const pages = await pagesOf(store, client.chainId, held.cursor.floor + 1, Number.MAX_SAFE_INTEGER);
  const live = pages.filter(({ sk }) => !dead.has(sk)).flatMap(({ facts }) => facts);
  return new Set([...live, ...fresh].map(registerKey));
}

/** The contract's register of a settlement. */
const registerKey = ({ txHash, logIndex }: Pick<Fact, "txHash" | "logIndex">): string => `${txHash}:${logIndex}`;

const payerOf = (fact: Fact): string =>
  fact.type === "chain.transferred" ? fact.payer : "payer" in fact.payment ? fact.payment.payer : "";

/** What was written down and perhaps not handed on, because a crash came between, is handed on as it was. */
async function handPending(run: Run): Promise<void> {
  const { pending } = run.held.cursor;
  if (pending === null) return;
  const pages = await pagesOf(run.store, run.client.chainId, pending.fromBlock, pending.toBlock);
  await hand(
    run,
    pages
      .filter(({ seq }) => seq === pending.seq)
      .flatMap(({ facts, seq }) => facts.map((fact): Event => ({ ...fact, seq }))),
  );
  await move(run, { ...run.held.cursor, pending: null });
}

/** Wallets that came, came back or left; the past of the former is queued before they count as watched. */
async function takeWallets(run: Run): Promise<void> {
  const { client, store, memory } = run;
  const wallets = await run.wallets();
  memory.known ??= await readKnown(store, client.chainId);
  const moves = movesOf(memory.known, wallets, run.held.cursor);
  const { cursor } = run.held;
  if (moves.backfills.length > 0) await move(run, { ...cursor, backfills: [...cursor.backfills, ...moves.backfills] });
  await noteMoves(store, client.chainId, memory.known, moves, cursor.scanned);
  run.addresses = [...new Set(wallets.map(({ address }) => address))];
}

/** After a reorg: the cursor stands on the last block read that is still there; the passes find what is gone behind it. */
async function goBack(run: Run): Promise<number | null> {
  const back = await wentBack(run.client, run.held.cursor, run.memory.dispute);
  if (back === null) return null;
  await move(run, back);
  return back.scanned;
}

/** No movement at or below this block is expected to go: final, and not of the last few, whatever the tags say. */
function settledFloor(heads: Heads): number {
  return Math.min(heads.final.number, heads.latest.number - REORG_BLOCKS);
}

async function handHeads(run: Run): Promise<void> {
  if (run.guessed) return;
  const event = headsEvent(run.client.chainId, run.heads);
  if (event.id === run.memory.toldHeads) return;
  await hand(run, [event]);
  run.memory.toldHeads = event.id;
}

async function handStragglers(run: Run): Promise<void> {
  if (run.candidates === undefined) return;
  const { client, asset, heads, held, memory } = run;
  const open = await run.candidates();
  const { events } = await findStragglers(client, asset, open, heads, held.cursor.scanned, memory.stragglers);
  await hand(run, events);
}

/** Pages of blocks that are final for good are deleted, many at once. */
async function prune(run: Run): Promise<void> {
  const { floor, pruned } = run.held.cursor;
  if (floor - pruned < PRUNE_BLOCKS) return;
  const isMore = await forget(run.store, run.client.chainId, floor);
  if (!isMore) await move(run, { ...run.held.cursor, pruned: floor });
}

async function hand(run: Run, events: readonly Event[]): Promise<void> {
  for (let at = 0; at < events.length; at += EVENTS_PER_EMIT) {
    const part = events.slice(at, at + EVENTS_PER_EMIT);
    await run.emit(part.map((event) => ({ source: { kind: "chain" }, event })));
    run.events += part.length;
  }
}

/** Writes the cursor, under the lease: no commit is made by a watcher that has lost it. */
async function move(run: Run, cursor: Cursor): Promise<void> {
  const lease = leaseFor(run.held.cursor.lease, run.holder, run.now());
  run.held = await writeCursor(run.store, run.client.chainId, run.held, { ...cursor, lease });
}
