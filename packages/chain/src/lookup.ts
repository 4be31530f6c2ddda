/**
 * What the logs of a wallet do not tell of their blocks: when they were made, and how many authorizations each of their
 * transactions settled, those of wallets that nobody governs included.
 */
import { type Block, isoOf, parseBlock, type RawBlock } from "./block.ts";
import { type Call, type ChainClient, hostOf, quantity, requestSplit, requestTogether } from "./client.ts";
import { AUTHORIZATION_USED, type Movement, parseLogs, type RawLog } from "./logs.ts";
import { RpcError } from "./rpc-error.ts";

export interface KnownBlock {
  /** ISO-8601. */
  readonly at: string;
  /** AuthorizationUsed logs by transaction. */
  readonly shares: ReadonlyMap<string, number>;
}

/** Blocks whose authorizations are asked for as one range rather than one by one: strangers pay in between. */
const RANGE_MAX = 256;

/**
 * The blocks of `found` by hash, with the shares of `settled`. `bounds` are two blocks of the same reading: its last, and
 * one in front of most of it. Null when a block is gone, or the node has not all of it.
 */
export async function blocksOf(
  client: ChainClient,
  asset: string,
  bounds: Bounds,
  found: readonly Movement[],
  settled: readonly Movement[],
): Promise<ReadonlyMap<string, KnownBlock> | null> {
  if (found.length === 0) return new Map();
  const times = await timesOf(client, bounds, found);
  const shares = times === null ? null : await sharesOf(client, asset, settled);
  if (times === null || shares === null) return null;
  return new Map([...times].map(([hash, at]) => [hash, { at, shares }]));
}

interface Bounds {
  readonly since: Block | null;
  readonly end: Block;
}

/** A transaction in a block: the same one may stand in another block of a reading that a reorg came between. */
export const shareKey = ({ blockHash, txHash }: Pick<Movement, "blockHash" | "txHash">): string =>
  `${blockHash}${txHash}`;

/** When each block was made. Times never go back, so a block between two of one second is of that second too. */
async function timesOf(
  client: ChainClient,
  { since, end }: Bounds,
  found: readonly Movement[],
): Promise<ReadonlyMap<string, string> | null> {
  const times = new Map<string, string>([[end.hash, end.at]]);
  const unknown = new Set<string>();
  for (const { blockHash, blockNumber, timestamp } of found) {
    if (times.has(blockHash)) continue;
    const from = since !== null && blockNumber >= since.number ? since.timestamp : 1;
    const said = from === end.timestamp ? from : timestamp;
    // Some nodes say 0, and none is believed that contradicts the reading's own blocks.
    if (said !== null && said >= from && said <= end.timestamp) times.set(blockHash, isoOf(said));
    else unknown.add(blockHash);
  }
  const hashes = [...unknown].filter((hash) => !times.has(hash));
  const answers = await requestSplit(
    client,
    hashes.map((hash): Call => ({ method: "eth_getBlockByHash", params: [hash, false] })),
  );
  for (const [index, hash] of hashes.entries()) {
    const block = answers[index] as RawBlock | null;
    if (block === null) return null;
    times.set(hash, parseBlock(block, hostOf(client)).at);
  }
  return times;
}

async function sharesOf(
  client: ChainClient,
  asset: string,
  settled: readonly Movement[],
): Promise<ReadonlyMap<string, number> | null> {
  if (settled.length === 0) return new Map();
  const numbers = settled.map(({ blockNumber }) => blockNumber);
  const [first, last] = [Math.min(...numbers), Math.max(...numbers)];
  const used = { address: asset, topics: [AUTHORIZATION_USED] };
  const hashes = [...new Set(settled.map(({ blockHash }) => blockHash))];
  let logs: RawLog[] | null = null;
  if (hashes.length > 1 && last - first < RANGE_MAX) {
    const range = { ...used, fromBlock: quantity(first), toBlock: quantity(last) };
    logs = await requestRange(client, asset, range).catch((error) => {
      if (error instanceof RpcError && error.fault === "limit") return null; // too many strangers: block by block
      throw error;
    });
  }
  if (logs === null) {
    const filters = hashes.map((blockHash) => ({ ...used, blockHash }));
    const some = await goneAsNull(askLogs(client, asset, filters));
    if (some === null) return null;
    logs = some;
  }
  const shares = new Map<string, number>();
  const seen = new Set<string>();
  for (const { blockHash, transactionHash, logIndex } of logs) {
    const name = `${blockHash}${Number(logIndex)}`.toLowerCase();
    if (seen.has(name)) continue;
    seen.add(name);
    const key = shareKey({ blockHash: blockHash.toLowerCase(), txHash: transactionHash.toLowerCase() });
    shares.set(key, (shares.get(key) ?? 0) + 1);
  }
  // Its own authorization at least must be there: else the node has not all logs yet, or the block is gone.
  return settled.every((movement) => shares.has(shareKey(movement))) ? shares : null;
}

/** One call, that must not make batches smaller when it is refused. */
async function requestRange(client: ChainClient, asset: string, filter: object): Promise<RawLog[]> {
  const [answer] = await requestTogether(client, [{ method: "eth_getLogs", params: [filter] }]);
  return [...parseLogs(answer, hostOf(client), asset)];
}

async function askLogs(client: ChainClient, asset: string, filters: readonly object[]): Promise<RawLog[]> {
  const answers = await requestSplit(
    client,
    filters.map((filter): Call => ({ method: "eth_getLogs", params: [filter] })),
  );
  return answers.flatMap((answer) => parseLogs(answer, hostOf(client), asset));
}

/** A node that lost the block, or has not got it yet, says so by an error on eth_getLogs by hash. */
async function goneAsNull<T>(answer: Promise<T>): Promise<T | null> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof RpcError && error.isMissing) return null;
    throw error;
  }
}
