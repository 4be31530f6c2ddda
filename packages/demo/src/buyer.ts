/** A paying agent: an unmodified x402 client over a wallet, and one line of @bursar/sdk where it reports at all. */
import { type Emitter, instrumentFetch } from "@bursar/sdk";
import { registerExactEvmScheme } from "@x402/evm/exact/client";
import { decodePaymentResponseHeader, wrapFetchWithPayment, x402Client } from "@x402/fetch";
import type { LocalAccount } from "viem";
import { NETWORK } from "./network.ts";

/** What the buyer saw of a purchase. */
export interface Bought {
  /** The last answer's status. */
  readonly status: number;
  /** The settling transaction that the API named; null where it named none. */
  readonly txHash: string | null;
}

/** Buys what `url` sells, at whatever price x402's own spend controls allow. Throws what fetch throws. */
export type Buy = (url: string, signal?: AbortSignal) => Promise<Bought>;

/** A buyer with the wallet of `account`; without an emitter it pays and says nothing. */
export function createBuyer(account: LocalAccount, emitter: Emitter | null): Buy {
  const client = registerExactEvmScheme(new x402Client(), { signer: account, networks: [NETWORK] });
  const wrap =
    emitter === null ? wrapFetchWithPayment : instrumentFetch(emitter, wrapFetchWithPayment, { requestHeader: true });
  const pay = wrap(fetch, client);
  return async (url, signal) => {
    const response = await pay(url, signal === undefined ? {} : { signal });
    const receipt = response.headers.get("payment-response");
    await response.arrayBuffer(); // read to the end, so that the connection can be used again
    const transaction = receipt === null ? "" : decodePaymentResponseHeader(receipt).transaction;
    return { status: response.status, txHash: transaction === "" ? null : transaction.toLowerCase() };
  };
}
