/** How far the chain is: its newest, safe and final blocks. */
import type { EventOf } from "@bursar/events/contract";
import { type Block, parseBlock, type RawBlock } from "./block.ts";
import { type ChainClient, checkChain, type Endpoint, hostOf, requestTogether } from "./client.ts";
import { RpcError } from "./rpc-error.ts";

export interface Heads {
  readonly latest: Block;
  readonly safe: Block;
  readonly final: Block;
}

/**
 * The heads, by tag, from one node in one batch.
 * @throws {RpcError} when the node lacks one of them, or is another chain's
 */
export async function readHeads(client: ChainClient): Promise<Heads> {
  const tags = ["latest", "safe", "finalized"];
  const [chainId, ...blocks] = await requestTogether(client, [
    { method: "eth_chainId", params: [] },
    ...tags.map((tag) => ({ method: "eth_getBlockByNumber", params: [tag, false] })),
  ]);
  const host = hostOf(client);
  // Every time: a local node may have been replaced by another chain's on the same port.
  checkChain(client, client.endpoints[client.preferred] as Endpoint, chainId);
  const [latest, safe, final] = blocks.map((block, index) => {
    if (block === null) throw new RpcError("unavailable", host, `has no ${tags[index]} block yet`);
    return parseBlock(block as RawBlock, host);
  }) as [Block, Block, Block];
  return { latest, safe, final };
}

/** The heads as the event that moves finality. */
export function headsEvent(chainId: number, heads: Heads): EventOf<"chain.heads"> {
  const [latest, safe, final] = [heads.latest.number, heads.safe.number, heads.final.number];
  return {
    type: "chain.heads",
    id: `heads:${chainId}:${latest}:${safe}:${final}`,
    at: heads.latest.at,
    chainId,
    latest,
    safe,
    final,
  };
}
