/**
 * Hands facts on and takes them back: the cursor reserves two sequence numbers, the journal writes down what may still
 * go, the receiver makes it durable, and only then is it done. A crash anywhere in between is made good by the next round.
 */
import type { Event } from "@bursar/events/contract";
import { CursorConflict, readCursor } from "./cursor.ts";
import type { Heads } from "./heads.ts";
import { logKey, orphanedEvent, type Page, pagesOf, writeDown } from "./journal.ts";
import type { PassRange } from "./passes.ts";
import { standings } from "./reorg.ts";
import { hand, move, type Run, settledFloor } from "./run.ts";
import { type Cancelled, describe, type Fact, type Moved, type Reading } from "./scan.ts";

/** What is known of the blocks of a range before they are read. */
export interface Known {
  readonly pages: readonly Page[];
  readonly facts: ReadonlyMap<string, Fact>;
}

export async function knownOf({ store, client }: Run, fromBlock: number, toBlock: number): Promise<Known> {
  const pages = await pagesOf(store, client.chainId, fromBlock, toBlock);
  return { pages, facts: new Map(pages.flatMap(({ facts }) => facts.map((fact) => [logKey(fact), fact] as const))) };
}

/** What was written down and perhaps not handed on, because a crash came between, is handed on as it was. */
export async function handPending(run: Run): Promise<void> {
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

/** Hands on what is new in the range and takes back what is gone, then moves the cursor. False: the node lags. */
export async function handRange(
  run: Run,
  range: PassRange,
  reading: Extract<Reading, { kind: "scanned" }>,
  wallets: readonly string[],
  known: Known,
): Promise<boolean> {
  const { client, asset, heads } = run;
  const { fromBlock, toBlock } = range;
  const asked = new Set(wallets);
  const gone = await gonePages(run, range, known, reading.moved, asked);
  const misread = misreadPages(known, reading.moved);
  if (gone === null || misread === null) return false;
  const wrong = new Set(misread.flatMap(({ lost }) => lost.map(logKey)));
  const fresh = reading.moved.filter(
    (each) =>
      (!known.facts.has(logKey(each)) || wrong.has(logKey(each))) &&
      each.blockNumber <= (run.leaving.get(each.payer) ?? Number.POSITIVE_INFINITY),
  );
  const cancelled = isSafeRead(range, heads) ? reading.cancelled.filter(isAtMost(heads.safe.number)) : [];
  const described = await describe(client, { chainId: client.chainId, asset }, reading, fresh, cancelled);
  if (described === null) return false;
  await handFacts(run, { fromBlock, toBlock, at: reading.end.at, facts: described.facts, gone, misread });
  await hand(run, described.cancelled);
  if (range.pass === "fast") {
    run.memory.dispute.sinceMs = null; // the chain of what was read goes on: nothing is in doubt
    if (reading.end.number >= heads.latest.number) run.heads = { ...heads, latest: reading.end };
  }
  await move(run, { ...range.moved(run.held.cursor, reading.end, settledFloor(heads)), pending: null });
  return true;
}

/** Facts of a range of blocks, and pages of the journal that are to go. */
export interface Handing {
  readonly fromBlock: number;
  readonly toBlock: number;
  /** When it was found out, ISO-8601. */
  readonly at: string;
  readonly facts: readonly Fact[];
  readonly gone?: readonly Page[];
  readonly misread?: readonly Misread[];
}

export async function handFacts(run: Run, handing: Handing): Promise<void> {
  const { store, client, heads } = run;
  const { fromBlock, toBlock, at, facts, gone = [], misread = [] } = handing;
  const { chainId } = client;
  const reach = Math.max(run.held.cursor.floor, settledFloor(heads));
  const old = facts.filter(({ blockNumber }) => blockNumber <= reach);
  const loose = facts.filter(({ blockNumber }) => blockNumber > reach);
  const lacking = old.length === 0 || run.lacking === undefined ? old : await run.lacking(old);
  if (lacking.length + loose.length + gone.length + misread.length === 0) return;
  const { seq } = run.held.cursor;
  // The write makes the two sequence numbers ours, and says where to look should a crash come now.
  await move(run, { ...run.held.cursor, seq: seq + 2, pending: { seq: seq + 1, fromBlock, toBlock } });
  await writeDown(store, chainId, [...loose, ...misread.flatMap(({ right }) => right)], seq + 1);
  await checkFence(run);
  // Taken back first and with the lower number: a transaction that moved to another block is taken back there and
  // settled here. One that is settled elsewhere by the same log is superseded, not taken back.
  const elsewhere = gone.length === 0 ? new Set<string>() : await liveLogs(run, gone, facts);
  const lost = gone.flatMap((page) => page.facts).filter((fact) => !elsewhere.has(registerKey(fact)));
  const wrong = misread.flatMap((page) => page.lost);
  await hand(
    run,
    [...lost, ...wrong].map((fact) => orphanedEvent(chainId, fact, seq, at)),
  );
  await hand(
    run,
    [...lacking, ...loose].map((fact): Event => ({ ...fact, seq: seq + 1 })),
  );
  await store.drop([...gone, ...misread.map(({ page }) => page)]);
}

/**
 * A watcher that slept since it reserved its numbers hands nothing on: its successor may be past these blocks, and nobody
 * would read them again.
 */
async function checkFence({ store, client, held }: Run): Promise<void> {
  const stored = await readCursor(store, client.chainId);
  if (stored?.version !== held.version) throw new CursorConflict(client.chainId);
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
 * read leaves out a movement of a block that stands. A past of some wallets is no word on the others' blocks.
 */
async function gonePages(
  { client, memory }: Run,
  range: PassRange,
  { pages }: Known,
  moved: readonly Moved[],
  asked: ReadonlySet<string>,
): Promise<readonly Page[] | null> {
  const found = new Set(moved.map(logKey));
  const isMissing = (fact: Fact): boolean =>
    !found.has(logKey(fact)) && (range.job === null || asked.has(payerOf(fact)));
  const suspect = pages.filter(({ facts }) => facts.some(isMissing));
  if (suspect.length === 0) return [];
  const marks = suspect.map(({ blockNumber, blockHash }) => ({ number: blockNumber, hash: blockHash }));
  const standing = await standings(client, marks, memory.dispute);
  const gone: Page[] = [];
  for (const [index, page] of suspect.entries()) {
    if (standing[index] === "gone") gone.push(page);
    else if (standing[index] !== "there") return null;
    else if (page.facts.some((fact) => isMissing(fact) && asked.has(payerOf(fact)))) return null;
  }
  return gone;
}

/** A page whose facts were not all read right: a node had shown a Transfer before the AuthorizationUsed in front of it. */
export interface Misread {
  readonly page: Page;
  readonly lost: readonly Fact[];
  readonly right: readonly Fact[];
}

/** Null where it is this reading that lacks an authorization: the node has not all of its logs yet. */
function misreadPages({ pages, facts }: Known, moved: readonly Moved[]): readonly Misread[] | null {
  const wrong = new Set<string>();
  for (const each of moved) {
    const fact = facts.get(logKey(each));
    const nonce = fact?.type === "chain.settled" && "nonce" in fact.payment ? fact.payment.nonce : null;
    if (fact === undefined || nonce === each.nonce) continue;
    if (each.nonce === null) return null;
    wrong.add(logKey(each));
  }
  return pages.flatMap((page) => {
    const lost = page.facts.filter((fact) => wrong.has(logKey(fact)));
    return lost.length === 0 ? [] : [{ page, lost, right: page.facts.filter((fact) => !wrong.has(logKey(fact))) }];
  });
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

export const payerOf = (fact: Fact): string =>
  fact.type === "chain.transferred" ? fact.payer : "payer" in fact.payment ? fact.payment.payer : "";
