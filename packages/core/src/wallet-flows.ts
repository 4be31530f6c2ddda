/**
 * What left the held wallets since their balances were read, as the chain's facts are handed on. In memory only: whoever
 * starts anew reads the balances anew, and compares from there.
 *
 * An outflow goes by the log of its transaction, whatever block that stands in: after a reorg it may stand in another,
 * and left once all the same. The last word about a log is that of the highest `seq`.
 */
import type { EventOf } from "@bursar/events/contract";
import type { Told } from "@bursar/events/envelope";

/** USDC that left a wallet. */
export interface Outflow {
  readonly wallet: string;
  readonly amount: bigint;
  readonly block: number;
  readonly blockHash: string;
  /** The block's time. */
  readonly at: string;
  /** Names its log: the transaction's hash and the log's index. */
  readonly log: string;
  readonly seq: number;
}

/** The last word about a log; `outflow` is null where the log was taken back. */
interface Word {
  readonly seq: number;
  readonly outflow: Outflow | null;
}

export interface Flows {
  /** Outflows by wallet and block. */
  readonly byWallet: Map<string, Map<number, bigint>>;
  /** Logs that were heard of: a fact may be handed on twice. */
  readonly heard: Map<string, Word>;
  /** By log, of wallets that nobody holds: most are outsiders', some are of a wallet that is about to be taken up. */
  readonly early: Map<string, Outflow>;
}

/** Logs that are remembered, blocks that are told apart for one wallet, and outflows that wait for theirs. */
export const HEARD_MAX = 20_000;
const BLOCKS_MAX = 10_000;
export const EARLY_MAX = 10_000;

export const noFlows = (): Flows => ({ byWallet: new Map(), heard: new Map(), early: new Map() });

/** The outflow that a fact of the chain states; null for any other event. */
export function outflowOf({ source, event }: Told, chainId: number, asset: string): Outflow | null {
  if (source.kind !== "chain") return null;
  if (event.type === "chain.settled") {
    const fact = event as EventOf<"chain.settled">;
    const { payment } = fact;
    if (payment.method !== "eip3009" || payment.chainId !== chainId || payment.asset !== asset) return null;
    return outflow(payment.payer, fact);
  }
  if (event.type !== "chain.transferred") return null;
  const fact = event as EventOf<"chain.transferred">;
  return fact.chainId === chainId && fact.asset === asset ? outflow(fact.payer, fact) : null;
}

/**
 * Takes in an outflow of a held wallet. Null where that is no news: heard of before, or a later word about its log is
 * known. Else what it stands in the place of: the same outflow in a block that is gone, null where there was none.
 */
export function hear(flows: Flows, outflow: Outflow): { readonly before: Outflow | null } | null {
  const known = flows.heard.get(outflow.log);
  if (known !== undefined && !outranks(outflow, known)) return null;
  const { wallet, amount, block, blockHash, seq, log } = outflow;
  const before = known?.outflow ?? null;
  note(flows, log, { seq, outflow });
  if (before?.blockHash === blockHash) return null;
  if (before !== null) takeOff(flows, before);
  const blocks = flows.byWallet.get(wallet) ?? new Map<number, bigint>();
  flows.byWallet.set(wallet, blocks.set(block, (blocks.get(block) ?? 0n) + amount));
  if (blocks.size > BLOCKS_MAX) merge(blocks);
  return { before };
}

/** Takes a log of one block back; answers its outflow, null where it stands in another block, or nobody heard of it. */
export function takeBack(
  flows: Flows,
  { txHash, logIndex, blockHash, seq }: EventOf<"chain.orphaned">,
): Outflow | null {
  const log = logOf(txHash, logIndex);
  const known = flows.heard.get(log);
  const before = known?.outflow ?? null;
  const last = Math.max(seq ?? 0, known?.seq ?? 0);
  if (before !== null && (before.blockHash !== blockHash || (seq ?? last) < last)) return null;
  note(flows, log, { seq: last, outflow: null });
  if (before !== null) takeOff(flows, before);
  return before;
}

/** Keeps an outflow of a wallet that nobody holds until the next round knows whether it is somebody's. */
export function keepEarly({ early }: Flows, outflow: Outflow): void {
  const known = early.get(outflow.log);
  if (known !== undefined && !outranks(outflow, { seq: known.seq, outflow: known })) return;
  early.delete(outflow.log);
  early.set(outflow.log, outflow);
  dropOldest(early, EARLY_MAX);
}

/** Forgets wallets that nobody holds any more; answers what waited for those that are held now. */
export function takeUp({ byWallet, early }: Flows, isHeld: (wallet: string) => boolean): readonly Outflow[] {
  for (const wallet of byWallet.keys()) if (!isHeld(wallet)) byWallet.delete(wallet);
  const waited = [...early.values()].filter(({ wallet }) => isHeld(wallet));
  early.clear();
  return waited;
}

/** What left after block `from` up to `to`, the end of it all where that is null. */
export function leftBetween({ byWallet }: Flows, wallet: string, from: number, to: number | null): bigint {
  let left = 0n;
  for (const [block, amount] of byWallet.get(wallet) ?? []) {
    if (block > from && (to === null || block <= to)) left += amount;
  }
  return left;
}

/** Forgets what left up to `block`: a reading holds it. */
export function settleFlows({ byWallet }: Flows, wallet: string, block: number): void {
  const blocks = byWallet.get(wallet);
  if (blocks === undefined) return;
  for (const each of blocks.keys()) if (each <= block) blocks.delete(each);
  if (blocks.size === 0) byWallet.delete(wallet);
}

/** The higher `seq` is the later word; on a tie what is taken back stays so, and of two blocks the later stands. */
function outranks({ seq, block }: Outflow, { seq: knownSeq, outflow }: Word): boolean {
  return seq > knownSeq || (seq === knownSeq && outflow !== null && block > outflow.block);
}

function note({ heard }: Flows, log: string, word: Word): void {
  heard.delete(log);
  heard.set(log, word);
  dropOldest(heard, HEARD_MAX);
}

/** Many at once: a map whose first keys are gone is slow to show the next one. */
function dropOldest(map: Map<string, unknown>, max: number): void {
  if (map.size <= max) return;
  for (const oldest of [...map.keys()].slice(0, max / 10)) map.delete(oldest);
}

/** Where its block is not there any more a reading holds it. */
function takeOff({ byWallet }: Flows, { wallet, block, amount }: Outflow): void {
  const blocks = byWallet.get(wallet);
  const there = blocks?.get(block);
  if (blocks === undefined || there === undefined) return;
  if (there > amount) blocks.set(block, there - amount);
  else blocks.delete(block);
  if (blocks.size === 0) byWallet.delete(wallet);
}

/** A chain that nobody reads balances of for an hour: the earlier half of its blocks becomes one. */
function merge(blocks: Map<number, bigint>): void {
  const ordered = [...blocks].sort(([a], [b]) => a - b).slice(0, BLOCKS_MAX / 2);
  const last = ordered[ordered.length - 1]?.[0] ?? 0;
  const sum = ordered.reduce((total, [, amount]) => total + amount, 0n);
  for (const [block] of ordered) blocks.delete(block);
  blocks.set(last, sum);
}

/** What a wallet pays to itself does not leave it. */
function outflow(wallet: string, fact: EventOf<"chain.settled"> | EventOf<"chain.transferred">): Outflow {
  const { payee, amount, blockNumber, blockHash, at, txHash, logIndex, seq = 0 } = fact;
  const left = payee === wallet ? 0n : BigInt(amount);
  return { wallet, amount: left, block: blockNumber, blockHash, at, log: logOf(txHash, logIndex), seq };
}

const logOf = (txHash: string, logIndex: number): string => `${txHash}:${logIndex}`;
