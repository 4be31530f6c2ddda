/**
 * What the logs do not close: hashes that somebody claimed and that did not show, and authorizations past their time.
 * Each is asked for when it is due, and again later and later: what nobody will ever answer must not cost calls for ever.
 */
import type { Event } from "@bursar/events/contract";
import { type Call, type ChainClient, requestSplit } from "./client.ts";
import type { Cursor } from "./cursor.ts";
import { EXPIRED_MAX, type ExpiryCandidate, findExpired } from "./expired.ts";
import type { Heads } from "./heads.ts";
import { findOutcomes, RECEIPTS_MAX } from "./receipts.ts";
import { RpcError } from "./rpc-error.ts";
import { type Fact, scanRange } from "./scan.ts";
import { findTraces } from "./traces.ts";

export interface Candidates {
  readonly expiring: readonly ExpiryCandidate[];
  readonly hashes: readonly ClaimedHash[];
}

/** A hash that somebody claimed for a payment of this wallet. */
export interface ClaimedHash {
  readonly txHash: string;
  readonly payer: string;
}

/** When a question was put last, and how often. */
interface Asked {
  readonly nextMs: number;
  readonly tries: number;
}

/** What was asked before. Nothing is lost with it: the questions are put once more. */
export interface StragglerMemory {
  readonly asked: Map<string, Asked>;
  /** Claimed hashes without a receipt: the node waits to mine it, or knows nothing of it. */
  readonly waiting: Map<string, "pending" | "unknown">;
}

export const emptyStragglers = (): StragglerMemory => ({ asked: new Map(), waiting: new Map() });

/** Pauses between two questions about one thing: 2 s, 4 s and so on. */
const AGAIN_MS = 2_000;
const AGAIN_MS_MAX = 3_600_000;
/** Answers "used" after which the log is looked for: the passes may be about to show it. */
const UNTRACED_TRIES = 2;
/** Blocks read in one round for hashes that the passes cannot show. */
const UNREAD_MAX = 20;

export interface Found {
  readonly events: readonly Event[];
  /** Settlements in blocks that no pass showed, block by block: they may still go. */
  readonly settled: readonly (readonly Fact[])[];
  /** Why a question got no answer; what it was about is asked again. */
  readonly failed: RpcError | null;
}

/** Puts the questions that are due. One that gets no answer keeps none of the others. */
export async function findStragglers(
  client: ChainClient,
  asset: string,
  { expiring, hashes }: Candidates,
  heads: Heads,
  cursor: Pick<Cursor, "scanned" | "marks">,
  memory: StragglerMemory,
): Promise<Found> {
  const now = client.clock();
  forgetClosed(memory, expiring, hashes);
  const nextMs = (name: string): number => memory.asked.get(name)?.nextMs ?? 0;
  /** The longest due first: of more than one round can ask, all get their turn. */
  const due = <T>(list: readonly T[], name: (one: T) => string, max: number): T[] =>
    list
      .filter((one) => nextMs(name(one)) <= now)
      .sort((a, b) => nextMs(name(a)) - nextMs(name(b)))
      .slice(0, max);
  const asked = (name: string): void => {
    const tries = (memory.asked.get(name)?.tries ?? 0) + 1;
    memory.asked.set(name, { tries, nextMs: now + Math.min(AGAIN_MS_MAX, AGAIN_MS * 2 ** Math.min(tries - 1, 16)) });
  };
  let failed: RpcError | null = null;
  /** A question without an answer is put again soon: that it was put says nothing of what it is about. */
  const answerOr = async <T>(question: Promise<T>, none: T, about: readonly string[]): Promise<T> => {
    try {
      const answer = await question;
      for (const name of about) asked(name);
      return answer;
    } catch (error) {
      if (!(error instanceof RpcError)) throw error;
      failed ??= error;
      for (const name of about)
        memory.asked.set(name, { tries: memory.asked.get(name)?.tries ?? 0, nextMs: now + AGAIN_MS });
      return none;
    }
  };

  // Before the chain's own clock is there nothing can be said, and nothing need be asked.
  const ripe = expiring.filter(({ validBefore }) => BigInt(validBefore) <= heads.safe.timestamp);
  const overdue = due(ripe, expiryName, EXPIRED_MAX);
  const { expired, used } = await answerOr(
    findExpired(client, overdue, heads.safe),
    { expired: [], used: [] },
    overdue.map(expiryName),
  );
  const tries = (one: ExpiryCandidate): number => memory.asked.get(expiryName(one))?.tries ?? 0;
  const untraced = used
    .filter((one) => tries(one) >= UNTRACED_TRIES)
    .slice(0, UNREAD_MAX)
    .map((one) => ({ payment: one.payment, tries: tries(one) - UNTRACED_TRIES }));
  const traces = await answerOr(
    findTraces(client, asset, untraced, cursor.scanned, heads.safe.number),
    { cancelled: [], used: [] },
    [],
  );

  const claimed = due(hashes, ({ txHash }) => txHash, RECEIPTS_MAX);
  const names = [...new Set(claimed.map(({ txHash }) => txHash))];
  const outcomes = await answerOr(findOutcomes(client, names), { reverted: [], succeeded: new Map() }, names);
  const { reverted, succeeded } = outcomes;
  const done = new Set([...reverted.map(({ txHash }) => txHash), ...succeeded.keys()]);
  await answerOr(lookForWaiting(client, names, done, memory), undefined, []);
  const mined = claimed.flatMap(({ txHash, payer }) => {
    const block = succeeded.get(txHash);
    return block === undefined ? [] : [{ block, payer }];
  });
  const settled = await answerOr(readUnread(client, asset, [...mined, ...traces.used], cursor), [], []);
  return { events: [...expired, ...traces.cancelled, ...reverted], settled, failed };
}

/** Which of the hashes wait in a mempool, and of which the node knows nothing. */
async function lookForWaiting(
  client: ChainClient,
  hashes: readonly string[],
  done: ReadonlySet<string>,
  { waiting }: StragglerMemory,
): Promise<void> {
  for (const hash of done) waiting.delete(hash);
  const open = hashes.filter((hash) => !done.has(hash));
  if (open.length === 0) return;
  const answers = await requestSplit(
    client,
    open.map((hash): Call => ({ method: "eth_getTransactionByHash", params: [hash] })),
  );
  for (const [index, hash] of open.entries()) waiting.set(hash, answers[index] === null ? "unknown" : "pending");
}

/**
 * A claimed transaction can stand where no pass reads: before the cursor began, or paid from a wallet that nobody
 * watches (an outsider who pays our API). Its block is read for its payer.
 */
async function readUnread(
  client: ChainClient,
  asset: string,
  places: readonly { readonly block: number; readonly payer: string }[],
  { scanned, marks }: Pick<Cursor, "scanned" | "marks">,
): Promise<(readonly Fact[])[]> {
  const payers = new Map<number, Set<string>>();
  for (const { block, payer } of places) {
    if (block > scanned) continue;
    if (payers.size < UNREAD_MAX || payers.has(block)) payers.set(block, (payers.get(block) ?? new Set()).add(payer));
  }
  const found: (readonly Fact[])[] = [];
  for (const [block, wallets] of payers) {
    const place = { chainId: client.chainId, asset, fromBlock: block, toBlock: block, anchor: marks.at(-1) };
    const scan = await scanRange(client, { ...place, wallets: [...wallets] });
    if (scan.kind === "scanned") found.push(scan.facts.filter(({ type }) => type === "chain.settled"));
  }
  return found;
}

function forgetClosed(
  { asked, waiting }: StragglerMemory,
  expiring: readonly ExpiryCandidate[],
  hashes: readonly ClaimedHash[],
): void {
  const open = new Set([...expiring.map(expiryName), ...hashes.map(({ txHash }) => txHash)]);
  for (const name of asked.keys()) if (!open.has(name)) asked.delete(name);
  for (const hash of waiting.keys()) if (!open.has(hash)) waiting.delete(hash);
}

const expiryName = ({ payment, validBefore }: ExpiryCandidate): string =>
  `${payment.payer}:${payment.nonce}:${validBefore}`;
