/** The viem client of a local chain: one that may also mine, and set code and storage. */
import {
  type Block,
  type Chain,
  type Client,
  createClient,
  type Hash,
  type HttpTransport,
  http,
  parseGwei,
  type TransactionReceipt,
} from "viem";
import { getBlock, type PrepareTransactionRequestParameters, waitForTransactionReceipt } from "viem/actions";
import { arbitrum } from "viem/chains";

/** Any method of anvil goes through `request`, with the parameters that anvil's documentation names. */
export type DevClient = Omit<Client<HttpTransport, Chain>, "request"> & {
  request: (call: { method: string; params?: unknown }) => Promise<never>;
} & Client<HttpTransport, Chain>;

/** What everyone bids who says nothing else: far more than gas ever costs here. */
const BID = { maxFeePerGas: parseGwei("1000"), maxPriorityFeePerGas: 1n } as const;

/**
 * Arbitrum, where nobody bids what gas costs now: the next rise would price his transaction out, the node would throw it
 * away, and all that he sends later would wait behind the gap. See the gas spike.
 */
export const DEV_CHAIN = {
  ...arbitrum,
  // Before the node fills in what is missing: it knows today's price only.
  prepareTransactionRequest: [
    // What nobody set is there, and undefined.
    async ({ maxFeePerGas = BID.maxFeePerGas, maxPriorityFeePerGas = BID.maxPriorityFeePerGas, ...request }) =>
      ({ ...request, maxFeePerGas, maxPriorityFeePerGas }) as PrepareTransactionRequestParameters,
    { runAt: ["beforeFillTransaction"] },
  ],
} as const satisfies Chain;

export function devClient(rpcUrl: string): DevClient {
  return createClient({
    chain: DEV_CHAIN,
    transport: http(rpcUrl, { retryCount: 5, retryDelay: 50 }),
    pollingInterval: 25,
    cacheTime: 0,
  }) as unknown as DevClient;
}

/** A reorg may come between, and then nobody ever sees it mined. */
const MINED_MS = 60_000;

/** Mines at once what is waiting, and gives the receipt of `hash`, whatever its status. */
export async function mined(client: DevClient, hash: Hash): Promise<TransactionReceipt> {
  await mine(client, 1);
  return waitForTransactionReceipt(client, { hash, retryCount: 200, timeout: MINED_MS });
}

/** Makes `blocks` empty or full blocks at once, beside those that the clock makes. */
export async function mine(client: DevClient, blocks: number): Promise<void> {
  await client.request({ method: "anvil_mine", params: [`0x${blocks.toString(16)}`] });
}

/** Tries of one reorg; the first nearly always does. */
const REORG_TRIES = 5;

/**
 * Replaces the last `depth` blocks by empty ones. Somebody may make a block while it rewrites, and then anvil
 * refuses, or leaves blocks that cannot be found by their own hash: it is done again, a block deeper, until the chain
 * hangs together.
 */
export async function reorg(client: DevClient, depth: number): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      await client.request({ method: "anvil_reorg", params: [depth + tries - 1, []] });
      if (await hangsTogether(client, depth + tries + 1)) return await setClock(client);
    } catch (error) {
      if (tries === REORG_TRIES) throw error;
    }
    if (tries === REORG_TRIES) throw new Error(`the local chain does not hang together after a reorg of ${depth}`);
  }
}

/** Anvil's clock goes on from the block that it went back to: with each reorg the blocks' times would fall further behind. */
async function setClock(client: DevClient): Promise<void> {
  await client.request({ method: "evm_setTime", params: [Math.floor(Date.now() / 1000)] });
}

/** True when each of the last `blocks` is found by its hash and is the parent of the next. */
async function hangsTogether(client: DevClient, blocks: number): Promise<boolean> {
  let block: Block = await getBlock(client);
  try {
    for (let left = blocks; left > 0 && block.number !== null && block.number > 0n; left--) {
      const parent: Block = await getBlock(client, { blockHash: block.parentHash });
      const there: Block = await getBlock(client, { blockNumber: block.number - 1n });
      if (there.hash !== parent.hash || parent.number !== block.number - 1n) return false;
      block = parent;
    }
    return true;
  } catch {
    return false;
  }
}
