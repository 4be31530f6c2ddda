/** How far the chain is: its newest, safe and final blocks. */
import type { EventOf } from "@bursar/events/contract";
import { type Block, parseBlock, type RawBlock } from "./block.ts";
import { type Call, type ChainClient, hostOf, requestTogether } from "./client.ts";
import { RpcError } from "./rpc-error.ts";

export interface Heads {
  readonly latest: Block;
  readonly safe: Block;
  readonly final: Block;
}

/**
 * The heads, by tag, from one node in one batch.
 * @throws {RpcError} when the node lacks one of them
 */
export async function readHeads(client: ChainClient): Promise<Heads> {
  const [latest, safe, final] = (await readTags(client, ["latest", "safe", "finalized"])) as [Block, Block, Block];
  return { latest, safe, final };
}

/** The newest block alone. */
export async function readLatest(client: ChainClient): Promise<Block> {
  const [latest] = (await readTags(client, ["latest"])) as [Block];
  return latest;
}

async function readTags(client: ChainClient, tags: readonly string[]): Promise<Block[]> {
  const blocks = await requestTogether(
    client,
    tags.map((tag): Call => ({ method: "eth_getBlockByNumber", params: [tag, false] })),
  );
  const host = hostOf(client);
  return blocks.map((block, index) => {
    if (block === null) throw new RpcError("unavailable", host, `has no ${tags[index]} block yet`);
    return parseBlock(block as RawBlock, host);
  });
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
