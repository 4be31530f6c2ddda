/** A paying agent: an unmodified x402 client, over AgentCore or over a wallet, and one line of @bursar/sdk where it reports. */
import { type ClientOptions, type Emitter, instrumentFetch } from "@bursar/sdk";
import { registerExactEvmScheme } from "@x402/evm/exact/client";
import { decodePaymentResponseHeader, wrapFetchWithPayment, x402Client } from "@x402/fetch";
import type { LocalAccount } from "viem";
import { exactScheme } from "./agentcore/exact-scheme.ts";
import type { Payer } from "./agentcore/payer.ts";
import type { SessionKeeper } from "./agentcore/session-keeper.ts";
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

/** A buyer that signs with the wallet of `account` itself, and says nothing: no AgentCore, no session, no SDK. */
export function createSilentBuyer(account: LocalAccount): Buy {
  const client = registerExactEvmScheme(new x402Client(), { signer: account, networks: [NETWORK] });
  const pay = wrapFetchWithPayment(fetch, client);
  return async (url, signal) => bought(await pay(url, signal === undefined ? {} : { signal }));
}

/** A buyer that signs with the wallet of `account` itself and reports each step; `told` is what it says of its session. */
export function createKeyBuyer(account: LocalAccount, emitter: Emitter, told: ClientOptions = {}): Buy {
  const client = registerExactEvmScheme(new x402Client(), { signer: account, networks: [NETWORK] });
  const pay = instrumentFetch(emitter, wrapFetchWithPayment, { requestHeader: true, ...told })(fetch, client);
  return async (url, signal) => bought(await pay(url, signal === undefined ? {} : { signal }));
}

/** Where a buyer's sessions come from: its keeper, or somebody with one session. */
export type Sessions = Pick<SessionKeeper, "session" | "refused">;

/** A buyer that has AgentCore sign, under the session that is open when the purchase begins, and reports each step. */
export function createSessionBuyer(
  payer: Payer,
  keeper: Sessions,
  emitter: Emitter,
  more: Pick<ClientOptions, "requestId"> = {},
): Buy {
  return async (url, signal) => {
    const session = await keeper.session();
    let processPaymentId: string | undefined;
    const scheme = exactScheme(async (offer) => {
      try {
        const proof = await payer.pay(session, offer, signal);
        processPaymentId = proof.processPaymentId;
        return proof;
      } catch (error) {
        keeper.refused(session, error);
        throw error;
      }
    });
    // Made anew for each purchase: its session and what AgentCore calls its payment are its own.
    const client = new x402Client().register(NETWORK, scheme);
    const { instrumentId } = payer;
    const told = { ...more, session, instrumentId, processPaymentId: () => processPaymentId, requestHeader: true };
    const pay = instrumentFetch(emitter, wrapFetchWithPayment, told)(fetch, client);
    return bought(await pay(url, signal === undefined ? {} : { signal }));
  };
}

async function bought(response: Response): Promise<Bought> {
  const receipt = response.headers.get("payment-response");
  await response.arrayBuffer(); // read to the end, so that the connection can be used again
  const transaction = receipt === null ? "" : decodePaymentResponseHeader(receipt).transaction;
  return { status: response.status, txHash: transaction === "" ? null : transaction.toLowerCase() };
}
