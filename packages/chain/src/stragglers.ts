/**
 * What the logs do not close: hashes that somebody claimed and that did not show, and authorizations past their time.
 * Each is asked for when it is due, and again later and later: what nobody will ever answer must not cost calls for ever.
 */
import type { Event, EventOf } from "@bursar/events/contract";
import { type Call, type ChainClient, requestTogether } from "./client.ts";
import { EXPIRED_MAX, type ExpiryCandidate, findExpired } from "./expired.ts";
import type { Heads } from "./heads.ts";
import { findOutcomes, RECEIPTS_MAX } from "./receipts.ts";
import { scanRange } from "./scan.ts";

export interface Candidates {
  readonly expiring: readonly ExpiryCandidate[];
  readonly hashes: readonly ClaimedHash[];
}

/** A hash that somebody claimed for a payment of this wallet. */
export interface ClaimedHash {
  readonly txHash: string;
  readonly payer: string;
}

/** A claimed hash without a receipt: the node waits to mine it, or knows nothing of it. */
export type Waiting = ReadonlyMap<string, "pending" | "unknown">;

/** When a question was put last, and how often. */
interface Asked {
  readonly nextMs: number;
  readonly tries: number;
}

/** What was asked before. Nothing is lost with it: the questions are put once more. */
export interface StragglerMemory {
  readonly asked: Map<string, Asked>;
  readonly waiting: Map<string, "pending" | "unknown">;
}

export const emptyStragglers = (): StragglerMemory => ({ asked: new Map(), waiting: new Map() });

/** Pauses between two questions about one thing: 2 s, 4 s and so on. */
const AGAIN_MS = 2_000;
const AGAIN_MS_MAX = 300_000;
/** Blocks read in one round for hashes that the passes cannot show. */
const UNREAD_MAX = 20;

export interface Found {
  /** Durable facts of the chain, in the order in which they are to be handed on. */
  readonly events: readonly Event[];
}

/** Puts the questions that are due. `scanned`: up to where the logs were read. */
export async function findStragglers(
  client: ChainClient,
  asset: string,
  { expiring, hashes }: Candidates,
  heads: Heads,
  scanned: number,
  memory: StragglerMemory,
): Promise<Found> {
  const now = client.clock();
  forgetClosed(memory, expiring, hashes);
  const due = <T>(list: readonly T[], name: (one: T) => string, max: number): T[] =>
    list.filter((one) => (memory.asked.get(name(one))?.nextMs ?? 0) <= now).slice(0, max);
  const asked = (name: string): void => {
    const tries = (memory.asked.get(name)?.tries ?? 0) + 1;
    memory.asked.set(name, { tries, nextMs: now + Math.min(AGAIN_MS_MAX, AGAIN_MS * 2 ** Math.min(tries - 1, 16)) });
  };

  // Before the chain's own clock is there nothing can be said, and nothing need be asked.
  const ripe = expiring.filter(({ validBefore }) => BigInt(validBefore) <= heads.safe.timestamp);
  const overdue = due(ripe, expiryName, EXPIRED_MAX);
  const expired = await findExpired(client, overdue, heads.safe);
  for (const one of overdue) asked(expiryName(one));

  const claimed = due(hashes, ({ txHash }) => txHash, RECEIPTS_MAX);
  const { reverted, succeeded } = await findOutcomes(
    client,
    claimed.map(({ txHash }) => txHash),
  );
  for (const { txHash } of claimed) asked(txHash);
  const done = new Set([...reverted.map(({ txHash }) => txHash), ...succeeded.keys()]);
  await lookForWaiting(client, [...new Set(claimed.map(({ txHash }) => txHash))], done, memory);
  const unread = await readUnread(client, asset, claimed, succeeded, Math.min(heads.final.number, scanned));
  return { events: [...expired, ...reverted, ...unread] };
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
  const answers = await requestTogether(
    client,
    open.map((hash): Call => ({ method: "eth_getTransactionByHash", params: [hash] })),
  );
  for (const [index, hash] of open.entries()) waiting.set(hash, answers[index] === null ? "unknown" : "pending");
}

/**
 * A claimed transaction can stand where no pass reads: before the cursor began, or paid from a wallet that nobody
 * watches (an outsider who pays our API). Its block is read for its payer, once it is final: such a block stays.
 */
async function readUnread(
  client: ChainClient,
  asset: string,
  claimed: readonly ClaimedHash[],
  succeeded: ReadonlyMap<string, number>,
  upTo: number,
): Promise<EventOf<"chain.settled">[]> {
  const payers = new Map<number, Set<string>>();
  for (const { txHash, payer } of claimed) {
    const block = succeeded.get(txHash);
    if (block === undefined || block > upTo) continue;
    if (payers.size < UNREAD_MAX || payers.has(block)) payers.set(block, (payers.get(block) ?? new Set()).add(payer));
  }
  const found: EventOf<"chain.settled">[] = [];
  for (const [block, wallets] of payers) {
    const range = { chainId: client.chainId, asset, wallets: [...wallets], fromBlock: block, toBlock: block };
    const scan = await scanRange(client, range);
    if (scan.kind !== "scanned") continue;
    // The lowest number: it is the same fact however often it is found, and anything a pass has seen outranks it.
    for (const fact of scan.facts) if (fact.type === "chain.settled") found.push({ ...fact, seq: 0 });
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
