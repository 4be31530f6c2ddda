/**
 * What left the wallets since their balances were read, as the chain's facts are handed on. In memory only: whoever
 * starts anew reads the balances anew, and compares from there.
 */
import type { EventOf } from "@bursar/events/contract";
import type { Told } from "@bursar/events/envelope";

/** USDC that left a wallet. */
export interface Outflow {
  readonly wallet: string;
  readonly amount: bigint;
  readonly block: number;
  /** The block's time. */
  readonly at: string;
}

export interface Flows {
  /** Outflows by wallet and block. */
  readonly byWallet: Map<string, Map<number, bigint>>;
  /** Logs that were heard of: a fact may be handed on twice. */
  readonly heard: Set<string>;
}

/** Logs that are remembered, and blocks that are told apart for one wallet. */
const HEARD_MAX = 20_000;
const BLOCKS_MAX = 10_000;

export const noFlows = (): Flows => ({ byWallet: new Map(), heard: new Set() });

/** The outflow that a fact of the chain states, with the name of its log; null for any other event. */
export function outflowOf({ source, event }: Told, chainId: number, asset: string): (Outflow & { log: string }) | null {
  if (source.kind !== "chain") return null;
  if (event.type === "chain.settled") {
    const { payment, payee, amount, blockNumber, blockHash, logIndex, at } = event as EventOf<"chain.settled">;
    if (payment.method !== "eip3009" || payment.chainId !== chainId || payment.asset !== asset) return null;
    return outflow(payment.payer, payee, amount, blockNumber, blockHash, logIndex, at);
  }
  if (event.type !== "chain.transferred") return null;
  const fact = event as EventOf<"chain.transferred">;
  if (fact.chainId !== chainId || fact.asset !== asset) return null;
  const { payer, payee, amount, blockNumber, blockHash, logIndex, at } = fact;
  return outflow(payer, payee, amount, blockNumber, blockHash, logIndex, at);
}

/** Takes an outflow in; false where its log was heard of before. */
export function hear({ byWallet, heard }: Flows, { wallet, amount, block, log }: Outflow & { log: string }): boolean {
  if (heard.has(log)) return false;
  heard.add(log);
  if (heard.size > HEARD_MAX) for (const oldest of heard.keys()) if (heard.delete(oldest)) break;
  const blocks = byWallet.get(wallet) ?? new Map<number, bigint>();
  byWallet.set(wallet, blocks.set(block, (blocks.get(block) ?? 0n) + amount));
  if (blocks.size > BLOCKS_MAX) merge(blocks);
  return true;
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

/** Forgets everything: blocks are gone, and their facts may come again. */
export function forgetFlows({ byWallet, heard }: Flows): void {
  byWallet.clear();
  heard.clear();
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
function outflow(
  wallet: string,
  payee: string,
  amount: string,
  block: number,
  blockHash: string,
  logIndex: number,
  at: string,
): Outflow & { log: string } {
  return { wallet, amount: payee === wallet ? 0n : BigInt(amount), block, at, log: `${blockHash}:${logIndex}` };
}
