/** The viem client of a local chain: one that may also mine, and set code and storage. */
import {
  type Chain,
  type Client,
  createClient,
  type Hash,
  type HttpTransport,
  http,
  type TransactionReceipt,
} from "viem";
import { waitForTransactionReceipt } from "viem/actions";
import { arbitrum } from "viem/chains";

/** Any method of anvil goes through `request`, with the parameters that anvil's documentation names. */
export type DevClient = Omit<Client<HttpTransport, Chain>, "request"> & {
  request: (call: { method: string; params?: unknown }) => Promise<never>;
} & Client<HttpTransport, Chain>;

export function devClient(rpcUrl: string): DevClient {
  return createClient({
    chain: arbitrum,
    transport: http(rpcUrl, { retryCount: 5, retryDelay: 50 }),
    pollingInterval: 25,
    cacheTime: 0,
  }) as unknown as DevClient;
}

/** Mines at once what is waiting, and gives the receipt of `hash`, whatever its status. */
export async function mined(client: DevClient, hash: Hash): Promise<TransactionReceipt> {
  await mine(client, 1);
  return waitForTransactionReceipt(client, { hash, retryCount: 200 });
}

/** Makes `blocks` empty or full blocks at once, beside those that the clock makes. */
export async function mine(client: DevClient, blocks: number): Promise<void> {
  await client.request({ method: "anvil_mine", params: [`0x${blocks.toString(16)}`] });
}
