/** The ids of payments, from what was signed and from what a block holds. */
import { type Eip3009Key, parsePaymentId, paymentId } from "@bursar/events/ids";
import type { Hash, TransactionReceipt } from "viem";
import { getTransactionReceipt } from "viem/actions";
import type { SignedAuthorization } from "../authorization.ts";
import { DEVNET_CHAIN_ID, type Devnet } from "../devnet.ts";
import { USDC } from "../usdc.ts";

const AUTHORIZATION_USED = "0x98de503528ee59b575ef0c0a2576a82497bfc029a5685b209e9ec333479b10a5";

export function keyOf({ authorization: { from, nonce } }: SignedAuthorization): Eip3009Key {
  const [payer, own] = [from.toLowerCase(), nonce.toLowerCase()];
  return { method: "eip3009", chainId: DEVNET_CHAIN_ID, asset: USDC, payer, nonce: own };
}

/** The id of a payment that was signed here. */
export const idOf = (signed: SignedAuthorization): string => paymentId(keyOf(signed));

/** The key behind the id of an authorization. Throws for the id of anything else. */
export function keyFrom(id: string | undefined): Eip3009Key {
  const key = parsePaymentId(id ?? "");
  if (key?.method !== "eip3009") throw new Error(`no authorization has the id ${id}`);
  return key;
}

/** The payments that a transaction settled. */
export async function settledIn({ client }: Devnet, hash: string | null): Promise<readonly string[]> {
  if (hash === null) return [];
  const { logs } = await getTransactionReceipt(client, { hash: hash as Hash });
  return logs
    .filter(({ topics }) => topics[0] === AUTHORIZATION_USED)
    .map(({ topics }) => ({ payer: `0x${topics[1]?.slice(-40)}`, nonce: topics[2] ?? "" }))
    .map((own) => paymentId({ method: "eip3009", chainId: DEVNET_CHAIN_ID, asset: USDC, ...own }));
}

/** The plain transfer in a receipt: USDC writes one log for it. */
export function transferIn({ transactionHash, logs }: TransactionReceipt): string {
  const logIndex = logs[0]?.logIndex ?? 0;
  return paymentId({ method: "transfer", chainId: DEVNET_CHAIN_ID, txHash: transactionHash, logIndex });
}
