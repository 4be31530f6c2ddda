/**
 * One round of the watcher: hands on what the chain shows since the last one. Everything it must remember is in the
 * store's cursor, and facts are durable elsewhere before the cursor moves, so a round may die anywhere and be done
 * again. No block is passed over: the cursor moves to the end of a range only when a node has shown that block.
 *
 * Three passes of the same code: every range once when it is new, once more when it is safe, and once when it is
 * final. What a pass shows and was not handed on is; what was handed on and is gone from the range is taken back.
 */
import type { Store } from "@bursar/core/ports";
import type { Event } from "@bursar/events/contract";
import type { Source } from "@bursar/events/source";
import { type ChainClient, preferNext, quantity, requestTogether } from "./client.ts";
import { bounded, type Cursor, firstCursor, type HeldCursor, type Recent, readCursor, writeCursor } from "./cursor.ts";
import { type ExpiryCandidate, findExpired } from "./expired.ts";
import { type Heads, headsEvent, readHeads } from "./heads.ts";
import { nextRange, type PassRange } from "./passes.ts";
import { findOutcomes } from "./receipts.ts";
import { compare, orphanedEvent, withFacts, without } from "./recent.ts";
import { RpcError } from "./rpc-error.ts";
import { type Scan, scanRange } from "./scan.ts";
import { addWallets, type WatchedWallet } from "./wallets.ts";

export interface Emission {
  readonly source: Source;
  readonly event: Event;
}

export interface WatchPorts {
  readonly client: ChainClient;
  readonly store: Pick<Store, "get" | "commit" | "putAll" | "facts">;
  /** The token's contract, lower case. */
  readonly asset: string;
  /** Asked every round: wallets may come and go. */
  readonly wallets: () => Promise<readonly WatchedWallet[]> | readonly WatchedWallet[];
  /** Hands facts on; resolves when they are durable. At least once: ids are stable, repeats change nothing. */
  readonly emit: (events: readonly Emission[]) => Promise<void>;
  /** Where a cursor that does not exist yet begins; default: the latest block. */
  readonly startBlock?: number | undefined;
  /** What only the chain can close: unsettled authorizations, and claimed hashes that the logs did not show. */
  readonly candidates?: (() => Promise<Candidates>) | undefined;
}

export interface Candidates {
  readonly expiring: readonly ExpiryCandidate[];
  readonly hashes: readonly ClaimedHash[];
}

/** A hash that somebody claimed for a payment of this wallet. */
export interface ClaimedHash {
  readonly txHash: string;
  readonly payer: string;
}

/** What a watcher keeps between rounds to save reads; nothing is lost with it. */
export interface WatchMemory {
  /** Wallets whose past has been read, once loaded. */
  known: Set<string> | null;
}

/** What one round did. */
export interface Round {
  readonly heads: Heads;
  /** Last block read. */
  readonly scanned: number;
  /** Blocks still unread, the past of new wallets included. 0: all is read. */
  readonly behind: number;
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

/** Handing on is all a round shares with its ranges: the ports, the heads, and the cursor as it is stored. */
interface Run extends WatchPorts {
  readonly heads: Heads;
  held: HeldCursor;
  addresses: readonly string[];
  events: number;
}

/**
 * One round, to be repeated.
 * @throws {RpcError} no node answered, or one refuses even a single block
 * @throws {CursorConflict} another watcher moved the cursor
 */
export async function watchRound(ports: WatchPorts, memory: WatchMemory = { known: null }): Promise<Round> {
  const { client, store } = ports;
  const heads = await readHeads(client);
  const stored = await readCursor(store, client.chainId);
  const held = stored ?? { cursor: firstCursor(ports.startBlock ?? heads.latest.number), version: null };
  const run: Run = { ...ports, heads, held, addresses: [], events: 0 };
  const result = { lagging: false, reorgedTo: null as number | null, limited: null as RpcError | null };

  if (heads.latest.number < held.cursor.scanned) {
    preferNext(client);
    result.lagging = true;
  } else {
    await handHeads(run);
    run.addresses = await addWallets(run, memory, await ports.wallets());
    for (let ranges = 0; ranges < RANGES_PER_ROUND; ranges++) {
      const range = nextRange(run.held.cursor, heads);
      if (range === null) break;
      const outcome = await readRange(run, range);
      if (outcome === "lagging") {
        preferNext(client);
        result.lagging = true;
        break;
      }
      if (outcome === "reorged") {
        result.reorgedTo = await goBack(run);
        if (result.reorgedTo === null) {
          result.lagging = true;
          break;
        }
      } else if (outcome !== "scanned") {
        result.limited = outcome;
        break;
      }
      // A job may just have ended, and the next one, or the wallets' being known, be due.
      if (range.pass === "backfill") run.addresses = await addWallets(run, memory, await ports.wallets());
    }
    await handCandidates(run);
  }
  const { cursor } = run.held;
  const backfill = cursor.backfill === null ? 0 : cursor.backfill.to - cursor.backfill.next + 1;
  const behind = Math.max(0, heads.latest.number - cursor.scanned) + backfill;
  return { heads, scanned: cursor.scanned, behind, events: run.events, ...result };
}

/** Reads one range and moves the cursor past it, once all that it showed is durable. */
async function readRange(run: Run, range: PassRange): Promise<"scanned" | "lagging" | "reorged" | RpcError> {
  const { client, asset } = run;
  const wallets = range.wallets ?? run.addresses;
  const anchor = run.held.cursor.marks.at(-1);
  const { fromBlock, toBlock } = range;
  let scan: Scan;
  try {
    scan = await scanRange(client, { chainId: client.chainId, asset, wallets, fromBlock, toBlock, anchor });
  } catch (error) {
    if (!(error instanceof RpcError) || (error.fault !== "limit" && error.fault !== "rate")) throw error;
    const length = toBlock - fromBlock + 1;
    if (error.fault === "limit" && length === 1) throw error;
    const span = Math.floor(Math.min(length, run.held.cursor.span) / 2);
    if (error.fault === "limit" || span >= RATE_SPAN_MIN)
      await move(run, { ...run.held.cursor, span: Math.max(1, span) });
    return error;
  }
  if (scan.kind !== "scanned") return scan.kind;
  await handRange(run, range, wallets, scan);
  return "scanned";
}

/** Hands on what is new in the range and takes back what is gone, then moves the cursor. */
async function handRange(
  run: Run,
  range: PassRange,
  wallets: readonly string[],
  scan: Extract<Scan, { kind: "scanned" }>,
): Promise<void> {
  const { heads, asset } = run;
  const { chainId } = run.client;
  const before = run.held.cursor;
  const { fresh, gone } = compare(before.recent, scan.facts, { ...range, wallets: new Set(wallets) });
  if (fresh.length + gone.length > 0) {
    // What may still go is written down before it is handed on: else a crash between the two, and then a reorg, would
    // leave a settlement that nobody takes back. The same write makes the two sequence numbers ours.
    const loose = fresh.filter((fact) => fact.blockNumber > Math.max(before.floor, settledFloor(heads)));
    const recent = withFacts(before.recent, loose, false);
    await move(run, { ...before, seq: before.seq + 2, recent });
    // Taken back first and with the lower number: on a tie the contract lets the orphaned win, and a transaction that
    // moved to another block is taken back there and settled here.
    // One that is settled elsewhere by the same log is superseded, not taken back.
    const superseded = (each: Recent) =>
      [...before.recent, ...fresh].some(
        (other) =>
          other.txHash === each.txHash &&
          other.logIndex === each.logIndex &&
          other.blockHash !== each.blockHash &&
          !gone.includes(other as Recent),
      );
    const back = gone
      .filter((each) => !superseded(each))
      .map((each) => orphanedEvent(each, { chainId, asset, seq: before.seq, at: heads.latest.at }));
    await hand(run, back);
    await hand(
      run,
      fresh.map((fact): Event => ({ ...fact, seq: before.seq + 1 })),
    );
    const kept = withFacts(without(run.held.cursor.recent, gone), loose, true);
    run.held = { ...run.held, cursor: { ...run.held.cursor, recent: kept } };
  }
  const safely = scan.cancelled.filter((event) => event.blockNumber <= heads.safe.number);
  if (range.toBlock <= heads.safe.number || range.pass === "backfill") await hand(run, safely);
  await move(run, range.moved(run.held.cursor, scan.end, settledFloor(heads)));
}

/**
 * After a reorg: the cursor stands on the last block read that is still there; the passes from there on find what is
 * gone. Null when the node lacks the newest one: it lags, which is no reorg.
 */
async function goBack(run: Run): Promise<number | null> {
  const { cursor } = run.held;
  const { marks } = cursor;
  const numbers = marks.map((mark) => mark.number);
  const answers = (await requestTogether(
    run.client,
    numbers.map((number) => ({ method: "eth_getBlockByNumber", params: [quantity(number), false] })),
  )) as readonly ({ hash: string } | null)[];
  if (answers.at(-1) === null) return null;
  const common = marks.findLastIndex((mark, index) => answers[index]?.hash.toLowerCase() === mark.hash);
  // Deeper than anything remembered: as far again below the oldest mark.
  const oldest = numbers[0] as number;
  const scanned = common >= 0 ? (numbers[common] as number) : Math.max(0, oldest - (cursor.scanned - oldest) - 1);
  await move(run, {
    ...cursor,
    scanned,
    safe: Math.min(cursor.safe, scanned),
    final: Math.min(cursor.final, scanned),
    marks: marks.slice(0, common + 1),
  });
  return scanned;
}

/** No movement at or below this block is expected to go: final, and not of the last few, whatever the tags say. */
function settledFloor(heads: Heads): number {
  return Math.min(heads.final.number, heads.latest.number - REORG_BLOCKS);
}

/** Blocks that may go though the node calls them final: local chains rewrite what they like. */
const REORG_BLOCKS = 256;

async function handHeads(run: Run): Promise<void> {
  const { cursor } = run.held;
  const event = headsEvent(run.client.chainId, run.heads);
  const { latest, safe, final } = event;
  if (cursor.heads?.latest === latest && cursor.heads.safe === safe && cursor.heads.final === final) return;
  await hand(run, [event]);
  run.held = { ...run.held, cursor: { ...cursor, heads: { latest, safe, final } } };
}

async function handCandidates(run: Run): Promise<void> {
  if (run.candidates === undefined) return;
  const { expiring, hashes } = await run.candidates();
  await hand(run, await findExpired(run.client, expiring, run.heads.safe));
  const { reverted, succeeded } = await findOutcomes(
    run.client,
    hashes.map(({ txHash }) => txHash),
  );
  await hand(run, reverted);
  await handUnread(run, hashes, succeeded);
}

/** Blocks read in one round for hashes that the passes cannot show. */
const UNREAD_MAX = 20;

/**
 * A claimed transaction can stand where no pass reads: before the cursor began, or paid from a wallet that nobody
 * watches (an outsider who pays our API). Its block is read for its payer, once it is final: such a block stays.
 */
async function handUnread(
  run: Run,
  claimed: readonly ClaimedHash[],
  succeeded: ReadonlyMap<string, number>,
): Promise<void> {
  const { client, asset, heads } = run;
  const payers = new Map<number, Set<string>>();
  for (const { txHash, payer } of claimed) {
    const block = succeeded.get(txHash);
    if (block === undefined || block > heads.final.number || block > run.held.cursor.scanned) continue;
    if (payers.size < UNREAD_MAX || payers.has(block)) payers.set(block, (payers.get(block) ?? new Set()).add(payer));
  }
  for (const [block, wallets] of payers) {
    const range = { chainId: client.chainId, asset, wallets: [...wallets], fromBlock: block, toBlock: block };
    const scan = await scanRange(client, { ...range, anchor: undefined });
    if (scan.kind !== "scanned" || scan.facts.length === 0) continue;
    // The lowest number: it is the same fact however often it is found, and anything a pass has seen outranks it.
    await hand(
      run,
      scan.facts.filter(({ type }) => type === "chain.settled").map((fact): Event => ({ ...fact, seq: 0 })),
    );
  }
}

async function hand(run: Run, events: readonly Event[]): Promise<void> {
  for (let at = 0; at < events.length; at += EVENTS_PER_EMIT) {
    const part = events.slice(at, at + EVENTS_PER_EMIT);
    await run.emit(part.map((event) => ({ source: { kind: "chain" }, event })));
    run.events += part.length;
  }
}

async function move(run: Run, cursor: Cursor): Promise<void> {
  run.held = await writeCursor(run.store, run.client.chainId, run.held, bounded(cursor));
}
