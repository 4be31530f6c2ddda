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
import { RpcError } from "./rpc-error.ts";

/** Wallets in one eth_getLogs; geth takes 1,000 values a topic, other providers fewer. */
export const WALLETS_PER_CALL = 250;
/** eth_getLogs calls in one batch; more wallets than 250 times this are read in several batches. */
const LOGS_PER_BATCH = 20;
/** Blocks looked up in one batch, two calls each. */
const BLOCKS_PER_BATCH = 50;

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
}

/** What the chain says of money: of which payment, and the event for it but for the pass's `seq`. */
export type Fact = Omit<EventOf<"chain.settled">, "seq"> | Omit<EventOf<"chain.transferred">, "seq">;

export type Scan =
  /** `end` is the range's last block: the next range must chain to its hash. */
  | {
      readonly kind: "scanned";
      readonly end: Block;
      readonly facts: readonly Fact[];
      /** True only in blocks that cannot go again: hand them on once their block is safe. */
      readonly cancelled: readonly EventOf<"chain.cancelled">[];
    }
  /** The node does not have the range's last block, or another than in the answer before. */
  | { readonly kind: "lagging" }
  /** The anchor is not on the chain any more. */
  | { readonly kind: "reorged" };

/** @throws {RpcError} with fault `limit` where the range or the number of wallets is more than the node allows */
export async function scanRange(client: ChainClient, range: ScanRange): Promise<Scan> {
  const { fromBlock, toBlock, anchor } = range;
  const queries = chunks(range.wallets, WALLETS_PER_CALL).map(
    (wallets): Call => ({
      method: "eth_getLogs",
      params: [
        {
          address: range.asset,
          fromBlock: quantity(fromBlock),
          toBlock: quantity(toBlock),
          topics: [[TRANSFER, AUTHORIZATION_USED, AUTHORIZATION_CANCELED], wallets.map(word)],
        },
      ],
    }),
  );
  const logs: RawLog[] = [];
  let end: Block | undefined;
  for (const part of queries.length === 0 ? [[]] : chunks(queries, LOGS_PER_BATCH)) {
    // The blocks go first: should a reorg come between the answers, the hash kept is the old one, and the next range
    // finds out.
    const [last, first, ...answers] = await requestTogether(client, [
      blockByNumber(toBlock),
      blockByNumber(anchor?.number ?? toBlock),
      ...part,
    ]);
    if (last === null || first === null) return { kind: "lagging" };
    const host = hostOf(client);
    const block = parseBlock(last as RawBlock, host);
    if (anchor !== undefined && parseBlock(first as RawBlock, host).hash !== anchor.hash) return { kind: "reorged" };
    if (end !== undefined && end.hash !== block.hash) return { kind: "lagging" };
    end = block;
    for (const answer of answers) for (const log of parseLogs(answer, host)) logs.push(log);
  }
  const found = movements(logs);
  const blocks = await lookUp(client, range.asset, found);
  if (blocks === null) return { kind: "lagging" };
  return { kind: "scanned", end: end as Block, ...eventsOf(range, found, blocks) };
}

/** A fact's payment. */
export function paymentOf(fact: Fact): PaymentKey {
  if (fact.type === "chain.settled") return fact.payment;
  return { method: "transfer", chainId: fact.chainId, txHash: fact.txHash, logIndex: fact.logIndex };
}

interface KnownBlock {
  readonly at: string;
  /** AuthorizationUsed logs by transaction, those of wallets that nobody governs included. */
  readonly shares: ReadonlyMap<string, number>;
}

/**
 * The time of each block that holds a movement, and how many authorizations each of its transactions settled: asked
 * by the block's hash and without a wallet, because a batch may settle for strangers too. Null when a block is gone.
 */
async function lookUp(
  client: ChainClient,
  asset: string,
  found: readonly Movement[],
): Promise<ReadonlyMap<string, KnownBlock> | null> {
  const hashes = [...new Set(found.map((movement) => movement.blockHash))];
  const blocks = new Map<string, KnownBlock>();
  for (const part of chunks(hashes, BLOCKS_PER_BATCH)) {
    const answers = await goneAsNull(
      requestTogether(
        client,
        part.flatMap((blockHash): Call[] => [
          { method: "eth_getBlockByHash", params: [blockHash, false] },
          { method: "eth_getLogs", params: [{ address: asset, blockHash, topics: [AUTHORIZATION_USED] }] },
        ]),
      ),
    );
    if (answers === null) return null;
    for (const [index, hash] of part.entries()) {
      const block = answers[index * 2] as RawBlock | null;
      if (block === null) return null;
      const shares = new Map<string, number>();
      for (const log of parseLogs(answers[index * 2 + 1], hostOf(client))) {
        const txHash = log.transactionHash.toLowerCase();
        shares.set(txHash, (shares.get(txHash) ?? 0) + 1);
      }
      blocks.set(hash, { at: parseBlock(block, hostOf(client)).at, shares });
    }
  }
  return blocks;
}

function eventsOf(
  { chainId, asset }: ScanRange,
  found: readonly Movement[],
  blocks: ReadonlyMap<string, KnownBlock>,
): { facts: Fact[]; cancelled: EventOf<"chain.cancelled">[] } {
  const facts: Fact[] = [];
  const cancelled: EventOf<"chain.cancelled">[] = [];
  for (const movement of found) {
    const { txHash, logIndex, blockNumber, blockHash, payer } = movement;
    const { at, shares } = blocks.get(blockHash) as KnownBlock;
    const id = `${chainId}:${blockHash}:${logIndex}`;
    if (movement.kind === "cancelled") {
      const payment = { method: "eip3009" as const, chainId, asset, payer, nonce: movement.nonce };
      cancelled.push({ type: "chain.cancelled", id: `cancelled:${id}`, at, payment, txHash, blockNumber });
      continue;
    }
    const { nonce, payee } = movement;
    const where = { at, txHash, logIndex, blockNumber, blockHash, payee, amount: movement.amount.toString() };
    if (nonce === null) {
      facts.push({ type: "chain.transferred", id: `transferred:${id}`, ...where, chainId, asset, payer });
    } else {
      const payment = { method: "eip3009" as const, chainId, asset, payer, nonce };
      const sharedBy = Math.max(1, shares.get(txHash) ?? 1);
      facts.push({ type: "chain.settled", id: `settled:${id}`, ...where, payment, sharedBy });
    }
  }
  return { facts, cancelled };
}

/** A node that lost the block, or has not got it yet, says so by an error on eth_getLogs by hash. */
async function goneAsNull<T>(answer: Promise<T>): Promise<T | null> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof RpcError && /unknown block|not found|block.*(?:missing|unavailable)/i.test(error.message))
      return null;
    throw error;
  }
}

function blockByNumber(number: number): Call {
  return { method: "eth_getBlockByNumber", params: [quantity(number), false] };
}

/** An address as a topic. */
function word(address: string): string {
  return `0x${address.slice(2).padStart(64, "0")}`;
}

function chunks<T>(list: readonly T[], size: number): T[][] {
  const parts: T[][] = [];
  for (let at = 0; at < list.length; at += size) parts.push(list.slice(at, at + size));
  return parts;
}
