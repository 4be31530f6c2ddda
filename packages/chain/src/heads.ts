/** How far the chain is: its newest, safe and final blocks. */
import type { EventOf } from "@bursar/events/contract";
import { type Block, parseBlock, type RawBlock } from "./block.ts";
import { askOne, type Call, type ChainClient, complainOf, graver, hostOf, inOrder, requestTogether } from "./client.ts";
import { RpcError } from "./rpc-error.ts";

export interface Heads {
  readonly latest: Block;
  readonly safe: Block;
  readonly final: Block;
}

/** A node so far behind the furthest one lags: five seconds of Arbitrum's blocks. */
const LAG_BLOCKS = 20;

/**
 * The heads, by tag, each three from one node in one batch. Of several nodes all are asked, those that lag are complained
 * of, and the heads are those of the most trusted one that does not.
 * @throws {RpcError} when no node has all of them
 */
export async function readHeads(client: ChainClient): Promise<Heads> {
  const nodes = inOrder(client);
  if (nodes.length < 2) {
    const blocks = await readTags(client, TAGS);
    return headsOf(hostOf(client), blocks);
  }
  let failure: RpcError | undefined;
  const answers = await Promise.all(
    nodes.map(async (endpoint) => {
      try {
        return {
          endpoint,
          heads: headsOf(endpoint.host, blocksOf(endpoint.host, TAGS, await askOne(client, endpoint, TAGS.map(byTag)))),
        };
      } catch (error) {
        if (!(error instanceof RpcError)) throw error;
        failure = graver(failure, error);
        return null;
      }
    }),
  );
  const heard = answers.filter((answer) => answer !== null);
  const furthest = Math.max(...heard.map(({ heads }) => heads.latest.number));
  const [first] = heard.filter(({ heads }) => heads.latest.number >= furthest - LAG_BLOCKS);
  for (const { endpoint, heads } of heard)
    if (heads.latest.number < furthest - LAG_BLOCKS) complainOf(client, endpoint);
  if (first === undefined) throw failure;
  client.last = client.endpoints.indexOf(first.endpoint);
  return first.heads;
}

/** The newest block alone. */
export async function readLatest(client: ChainClient): Promise<Block> {
  const [latest] = (await readTags(client, ["latest"])) as [Block];
  return latest;
}

const TAGS = ["latest", "safe", "finalized"] as const;

const byTag = (tag: string): Call => ({ method: "eth_getBlockByNumber", params: [tag, false] });

async function readTags(client: ChainClient, tags: readonly string[]): Promise<Block[]> {
  const answers = await requestTogether(client, tags.map(byTag));
  return blocksOf(hostOf(client), tags, answers);
}

function blocksOf(host: string, tags: readonly string[], answers: readonly unknown[]): Block[] {
  return answers.map((block, index) => {
    if (block === null) throw new RpcError("unavailable", host, `has no ${tags[index]} block yet`);
    return parseBlock(block as RawBlock, host);
  });
}

/** Blocks that a chain may make while a node answers for one tag after the other. */
const BETWEEN_BLOCKS = 64;

/** @throws {RpcError} for heads that contradict each other: what is final once stays so */
function headsOf(host: string, blocks: readonly Block[]): Heads {
  const [latest, safe, final] = blocks as [Block, Block, Block];
  if (Math.max(final.number - safe.number, safe.number - latest.number) > BETWEEN_BLOCKS)
    throw new RpcError(
      "unavailable",
      host,
      `its heads contradict each other: final ${final.number}, safe ${safe.number}, latest ${latest.number}`,
    );
  const lower = (a: Block, b: Block): Block => (a.number <= b.number ? a : b);
  return { latest, safe: lower(safe, latest), final: lower(lower(final, safe), latest) };
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
