/** The block at a time: found by asking for a handful of blocks at once, where halving would ask thirty times. */
import { type Block, parseBlock, type RawBlock } from "./block.ts";
import { type ChainClient, hostOf, quantity, requestTogether } from "./client.ts";
import { RpcError } from "./rpc-error.ts";

/** Blocks in one batch: Arbitrum's 300 million are told apart in seven. */
const PICKS = 16;

/**
 * The first block whose time is at or after `seconds` (unix), so that all of those that share a time are on one side;
 * null where the chain is not that far. `floor` is a block before it, where one is known.
 * @throws {RpcError} where the node lacks a block below `newest`
 */
export async function firstBlockAt(
  client: ChainClient,
  seconds: number,
  newest: Block,
  floor = -1,
): Promise<number | null> {
  if (newest.timestamp < seconds) return null;
  let before = floor;
  let found = newest.number;
  while (found - before > 1) {
    const step = (found - before) / (PICKS + 1);
    const picks = new Set(Array.from({ length: PICKS }, (_, i) => before + Math.round(step * (i + 1))));
    for (const block of await readBlocks(
      client,
      [...picks].filter((one) => one > before && one < found),
    )) {
      if (block.timestamp >= seconds) {
        found = block.number;
        break;
      }
      before = block.number;
    }
  }
  return found;
}

/** Blocks by number, of one node. @throws {RpcError} where it lacks one */
export async function readBlocks(client: ChainClient, numbers: readonly number[]): Promise<readonly Block[]> {
  const answers = await requestTogether(
    client,
    numbers.map((number) => ({ method: "eth_getBlockByNumber", params: [quantity(number), false] })),
  );
  return answers.map((answer, i) => {
    if (answer === null) throw new RpcError("unavailable", hostOf(client), `does not have block ${numbers[i]}`);
    return parseBlock(answer as RawBlock, hostOf(client));
  });
}
