/** USDC's logs of one range as movements: what was settled, what was cancelled, what left without an authorization. */
import { isHash, isQuantity } from "./block.ts";
import { RpcError } from "./rpc-error.ts";

/** keccak256 of the events' signatures: EIP-20's Transfer and EIP-3009's two. All three have the wallet as topic 1. */
export const TRANSFER = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef";
export const AUTHORIZATION_USED = "0x98de503528ee59b575ef0c0a2576a82497bfc029a5685b209e9ec333479b10a5";
export const AUTHORIZATION_CANCELED = "0x1cdd46ff242716cdaa72d159d339a485b3438398348d68f09d7c8c0a59353d81";

/** A log as JSON-RPC writes it. */
export interface RawLog {
  readonly address: string;
  readonly topics: readonly string[];
  readonly data: string;
  readonly blockNumber: string;
  readonly blockHash: string;
  readonly transactionHash: string;
  readonly logIndex: string;
  readonly removed?: boolean;
  /** Newer nodes say the block's time with each log (ethereum/execution-apis 639). */
  readonly blockTimestamp?: string;
}

/**
 * The logs of `asset` in a node's answer; those of other contracts, which were not asked for, are left.
 * @throws {RpcError} where the node's answer is no list of logs
 */
export function parseLogs(answer: unknown, host: string, asset: string): readonly RawLog[] {
  const right = (log: RawLog | null): boolean =>
    typeof log?.address === "string" &&
    isQuantity(log.blockNumber) &&
    isQuantity(log.logIndex) &&
    isHash(log.blockHash) &&
    isHash(log.transactionHash) &&
    Array.isArray(log.topics) &&
    log.topics.every(isHash) &&
    (log.topics[0] !== TRANSFER || isHash(log.data));
  if (Array.isArray(answer) && answer.every(right))
    return (answer as readonly RawLog[]).filter(({ address }) => address.toLowerCase() === asset);
  throw new RpcError("unavailable", host, "a log in its answer is none: place, topics or data is not right");
}

/** Where a log stands. */
interface Place {
  readonly blockNumber: number;
  readonly blockHash: string;
  readonly txHash: string;
  readonly logIndex: number;
  /** Unix seconds of the block, where the node says so with the log. */
  readonly timestamp: number | null;
}

/** `nonce` is null where USDC left without an authorization. */
export type Movement =
  | ({ readonly kind: "moved"; readonly nonce: string | null; readonly payer: string } & Money & Place)
  | ({ readonly kind: "cancelled"; readonly nonce: string; readonly payer: string } & Place);

interface Money {
  readonly payee: string;
  /** Atomic units. */
  readonly amount: bigint;
}

/**
 * The movements behind `logs`, by block and log. Each AuthorizationUsed is paired with the next Transfer in its
 * transaction that leaves the authorizer and is nobody else's yet, so batched settlements and two authorizations of
 * one wallet in one transaction come out right. `place.logIndex` of a settlement is the Transfer's.
 *
 * A Transfer without an authorization that moves nothing is no movement: anyone can make USDC log a transfer of zero
 * out of any wallet, and address poisoners do. Nor is one from a wallet to itself.
 */
export function movements(logs: readonly RawLog[]): readonly Movement[] {
  const standing = logs
    .filter((log) => log.removed !== true)
    .map((log) => [`${log.blockHash}${Number(log.logIndex)}`, log] as const);
  const ordered = [...new Map(standing).values()]
    .map((log) => ({ log, place: placeOf(log), payer: addressOf(log.topics[1]) }))
    .sort((a, b) => a.place.blockNumber - b.place.blockNumber || a.place.logIndex - b.place.logIndex);
  const waiting = new Map<string, string[]>(); // nonces by transaction and authorizer, the earliest first
  const found: Movement[] = [];
  for (const { log, place, payer } of ordered) {
    const key = `${place.blockHash}${place.txHash}${payer}`;
    const topic = log.topics[0];
    if (topic === AUTHORIZATION_CANCELED)
      found.push({ kind: "cancelled", nonce: hashOf(log.topics[2]), payer, ...place });
    if (topic === AUTHORIZATION_USED) waiting.set(key, [...(waiting.get(key) ?? []), hashOf(log.topics[2])]);
    if (topic !== TRANSFER) continue;
    const nonce = waiting.get(key)?.shift() ?? null;
    const payee = addressOf(log.topics[2]);
    const amount = BigInt(log.data);
    if (nonce === null && (amount === 0n || payee === payer)) continue;
    found.push({ kind: "moved", nonce, payer, payee, amount, ...place });
  }
  return found;
}

function placeOf(log: RawLog): Place {
  return {
    blockNumber: Number(log.blockNumber),
    blockHash: hashOf(log.blockHash),
    txHash: hashOf(log.transactionHash),
    logIndex: Number(log.logIndex),
    timestamp: isQuantity(log.blockTimestamp) ? Number(log.blockTimestamp) : null,
  };
}

/** A topic is a word of 32 bytes; an address is its last 20. */
export function addressOf(topic: string | undefined): string {
  return `0x${(topic ?? "").slice(-40).toLowerCase()}`;
}

function hashOf(topic: string | undefined): string {
  return (topic ?? "").toLowerCase();
}
