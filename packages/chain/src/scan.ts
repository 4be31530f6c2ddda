/**
 * Reads one range of blocks: every movement of USDC out of the wallets, reported or not. A range counts only when the
 * node has its last block, asked in the same batch: a lagging node answers eth_getLogs with [] and no error
 * (go-ethereum issues 24078 and 26101).
 */
import type { EventOf } from "@bursar/events/contract";
import type { PaymentKey } from "@bursar/events/ids";
import { type Block, parseBlock, type RawBlock } from "./block.ts";
import { type Call, type ChainClient, hostOf, quantity, requestTogether } from "./client.ts";
import {
  AUTHORIZATION_CANCELED,
  AUTHORIZATION_USED,
  type Movement,
  movements,
  parseLogs,
  type RawLog,
  TRANSFER,
} from "./logs.ts";
import { blocksOf, type KnownBlock, shareKey } from "./lookup.ts";

/** eth_getLogs calls in one batch; what more wallets need goes into another batch. */
const LOGS_PER_BATCH = 20;

export interface ScanRange {
  readonly chainId: number;
  /** The token's contract, lower case. */
  readonly asset: string;
  /** Lower case. Without any, only the chain of blocks is checked. */
  readonly wallets: readonly string[];
  /** Inclusive. */
  readonly fromBlock: number;
  readonly toBlock: number;
  /** A block that must still be there, such as the end of the range before. */
  readonly anchor?: { readonly number: number; readonly hash: string } | undefined;
  /** The anchor is a block of the range that holds logs of the wallets: they prove it, and it need not be asked for. */
  readonly isAnchorLogged?: boolean | undefined;
}

/** What the chain says of money: of which payment, and the event for it but for the pass's `seq`. */
export type Fact = Omit<EventOf<"chain.settled">, "seq"> | Omit<EventOf<"chain.transferred">, "seq">;

export type Moved = Extract<Movement, { kind: "moved" }>;
export type Cancelled = Extract<Movement, { kind: "cancelled" }>;

/** What a node could not show: it does not have the range's last block (or another than a moment ago), or the anchor is gone. */
export type Unread = { readonly kind: "lagging" } | { readonly kind: "reorged" };

/** The movements of a range, before anything else was asked about them. */
export type Reading =
  | {
      readonly kind: "scanned";
      /** The range's last block: the next range must chain to its hash. */
      readonly end: Block;
      /** The anchor as it was shown: no block behind it is older. */
      readonly since: Block | null;
      readonly moved: readonly Moved[];
      readonly cancelled: readonly Cancelled[];
    }
  | Unread;

export type Scan =
  | {
      readonly kind: "scanned";
      readonly end: Block;
      readonly facts: readonly Fact[];
      /** True only in blocks that cannot go again: hand them on once their block is safe. */
      readonly cancelled: readonly EventOf<"chain.cancelled">[];
    }
  | Unread;

/**
 * Everything in a range, described whole.
 * @throws {RpcError} with fault `limit` where the range or the number of wallets is more than the node allows
 */
export async function scanRange(client: ChainClient, range: ScanRange): Promise<Scan> {
  const reading = await readMovements(client, range);
  if (reading.kind !== "scanned") return reading;
  const described = await describe(client, range, reading, reading.moved, reading.cancelled);
  return described === null ? { kind: "lagging" } : { kind: "scanned", end: reading.end, ...described };
}

/** The movements of a range, proved by its last block in the same batch. */
export async function readMovements(client: ChainClient, range: ScanRange): Promise<Reading> {
  const { asset, fromBlock, toBlock, anchor, isAnchorLogged = false } = range;
  const queries = chunks(range.wallets, client.limits.wallets).map(
    (wallets): Call => ({
      method: "eth_getLogs",
      params: [
        {
          address: asset,
          fromBlock: quantity(fromBlock),
          toBlock: quantity(toBlock),
          topics: [[TRANSFER, AUTHORIZATION_USED, AUTHORIZATION_CANCELED], wallets.map(word)],
        },
      ],
    }),
  );
  const logs: RawLog[] = [];
  let end: Block | undefined;
  let since: Block | null = null;
  for (const part of queries.length === 0 ? [[]] : chunks(queries, Math.min(LOGS_PER_BATCH, client.limits.calls - 2))) {
    // The blocks go first: should a reorg come between the answers, the hash kept is the old one, and the next range
    // finds out.
    const isAsked = anchor !== undefined && !isAnchorLogged;
    const proofs = [blockByNumber(toBlock), ...(isAsked ? [blockByNumber(anchor.number)] : [])];
    const answers = await requestTogether(client, [...proofs, ...part]);
    const [last, first] = [answers[0], isAsked ? answers[1] : answers[0]];
    if (last === null || first === null) return { kind: "lagging" };
    const host = hostOf(client);
    const block = parseBlock(last as RawBlock, host);
    const before = parseBlock(first as RawBlock, host);
    if (isAsked && before.hash !== anchor.hash) return { kind: "reorged" };
    if (end !== undefined && end.hash !== block.hash) return { kind: "lagging" };
    end = block;
    since = isAsked ? before : null;
    for (const answer of answers.slice(proofs.length)) for (const log of parseLogs(answer, host, asset)) logs.push(log);
  }
  const asked = new Set(range.wallets);
  const found = movements(logs).filter(
    ({ payer, blockNumber }) => asked.has(payer) && blockNumber >= fromBlock && blockNumber <= toBlock,
  );
  if (anchor !== undefined && isAnchorLogged) {
    const logged = found.filter(({ blockNumber }) => blockNumber === anchor.number);
    // Without a log of it the node has not all logs, or the block is gone: it is asked for after all.
    if (logged.length === 0) return readMovements(client, { ...range, isAnchorLogged: false });
    if (logged.some(({ blockHash }) => blockHash !== anchor.hash)) return { kind: "reorged" };
  }
  // A log of the last block that is not of the block shown: the chain moved between the answers.
  if (found.some(({ blockNumber, blockHash }) => blockNumber === toBlock && blockHash !== end?.hash))
    return { kind: "lagging" };
  const moved = found.filter((each) => each.kind === "moved");
  const cancelled = found.filter((each) => each.kind === "cancelled");
  return { kind: "scanned", end: end as Block, since, moved, cancelled };
}

/**
 * Movements of a reading as events: their blocks' times, and how many authorizations each transaction settled, are
 * asked for where the logs do not tell. Null when a block is gone, or the node has not all of it yet.
 */
export async function describe(
  client: ChainClient,
  { chainId, asset }: Pick<ScanRange, "chainId" | "asset">,
  { end, since }: Extract<Reading, { kind: "scanned" }>,
  moved: readonly Moved[],
  cancelled: readonly Cancelled[],
): Promise<{ facts: Fact[]; cancelled: EventOf<"chain.cancelled">[] } | null> {
  const settled = moved.filter(({ nonce }) => nonce !== null);
  const blocks = await blocksOf(client, asset, { since, end }, [...moved, ...cancelled], settled);
  if (blocks === null) return null;
  const at = ({ blockHash }: Movement): string => (blocks.get(blockHash) as KnownBlock).at;
  return {
    facts: moved.map((movement) => {
      const sharedBy = blocks.get(movement.blockHash)?.shares.get(shareKey(movement)) ?? 1;
      return factOf({ ...movement, chainId, asset, at: at(movement), amount: movement.amount.toString(), sharedBy });
    }),
    cancelled: cancelled.map((movement) => {
      const { txHash, logIndex, blockNumber, blockHash, payer, nonce } = movement;
      const payment = { method: "eip3009" as const, chainId, asset, payer, nonce };
      const id = `cancelled:${chainId}:${blockHash}:${logIndex}`;
      return { type: "chain.cancelled" as const, id, at: at(movement), payment, txHash, blockNumber };
    }),
  };
}

/** All that a fact of money is made of. */
export interface FactParts extends Omit<Moved, "kind" | "amount" | "timestamp"> {
  readonly chainId: number;
  readonly asset: string;
  readonly at: string;
  /** Atomic units, decimal. */
  readonly amount: string;
  readonly sharedBy: number;
}

/** Its id is of the log in its block: the same however often it is read. */
export function factOf(parts: FactParts): Fact {
  const { chainId, asset, at, txHash, logIndex, blockNumber, blockHash, payer, payee, amount, nonce, sharedBy } = parts;
  const id = `${chainId}:${blockHash}:${logIndex}`;
  const where = { at, txHash, logIndex, blockNumber, blockHash, payee, amount };
  if (nonce === null) return { type: "chain.transferred", id: `transferred:${id}`, ...where, chainId, asset, payer };
  const payment = { method: "eip3009" as const, chainId, asset, payer, nonce };
  return { type: "chain.settled", id: `settled:${id}`, ...where, payment, sharedBy };
}

/** A fact's payment. */
export function paymentOf(fact: Fact): PaymentKey {
  if (fact.type === "chain.settled") return fact.payment;
  return { method: "transfer", chainId: fact.chainId, txHash: fact.txHash, logIndex: fact.logIndex };
}

/** Asks for a block by its number. */
export function blockByNumber(number: number): Call {
  return { method: "eth_getBlockByNumber", params: [quantity(number), false] };
}

/** An address as a topic. */
export function word(address: string): string {
  return `0x${address.slice(2).padStart(64, "0")}`;
}

/** `list` in parts of `size`. */
export function chunks<T>(list: readonly T[], size: number): T[][] {
  const parts: T[][] = [];
  for (let at = 0; at < list.length; at += size) parts.push(list.slice(at, at + size));
  return parts;
}
