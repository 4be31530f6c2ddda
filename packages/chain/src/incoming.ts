/** What came into wallets between two blocks: the logs that the watcher does not ask for. */
import { type Block, parseBlock, type RawBlock } from "./block.ts";
import { type Call, type ChainClient, hostOf, quantity, requestTogether } from "./client.ts";
import { addressOf, parseLogs, TRANSFER } from "./logs.ts";
import { RpcError } from "./rpc-error.ts";
import { chunks, word } from "./scan.ts";

/**
 * What came into each wallet in the blocks, from others; those into which nothing came are left out. `end` is the last
 * block, which the node must have as it was read before.
 * @throws {RpcError} with fault `limit` where the range is more than the node allows
 */
export async function incomingOf(
  client: ChainClient,
  asset: string,
  wallets: readonly string[],
  fromBlock: number,
  end: Block,
): Promise<ReadonlyMap<string, bigint>> {
  const found = new Map<string, bigint>();
  for (const part of chunks(wallets, client.limits.wallets)) {
    const to = part.map(word);
    const filter = { address: asset, fromBlock: quantity(fromBlock), toBlock: quantity(end.number) };
    const calls: Call[] = [
      { method: "eth_getBlockByNumber", params: [quantity(end.number), false] },
      { method: "eth_getLogs", params: [{ ...filter, topics: [TRANSFER, null, to] }] },
    ];
    const [last, logs] = await requestTogether(client, calls);
    const host = hostOf(client);
    if (last === null || parseBlock(last as RawBlock, host).hash !== end.hash)
      throw new RpcError("unavailable", host, `lags: it does not have block ${end.number} as it was read`);
    const seen = new Set<string>(); // a node may answer a log twice
    for (const { topics, data, removed, blockHash, logIndex } of parseLogs(logs, host, asset)) {
      const [payer, wallet] = [addressOf(topics[1]), addressOf(topics[2])];
      const isNew = removed !== true && !seen.has(`${blockHash}:${logIndex}`);
      seen.add(`${blockHash}:${logIndex}`);
      if (isNew && payer !== wallet) found.set(wallet, (found.get(wallet) ?? 0n) + BigInt(data));
    }
  }
  return found;
}
