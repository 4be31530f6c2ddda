/** The ids of payments and the aliases that lead to them. One place makes these strings, one place reads them. */

/** An EIP-3009 authorization: the identity of a payment from the moment it is signed. */
export interface Eip3009Key {
  readonly method: "eip3009";
  readonly chainId: number;
  readonly asset: string;
  readonly payer: string;
  readonly nonce: string;
}

/** USDC that left a wallet without an authorization: the log is its identity. */
export interface TransferKey {
  readonly method: "transfer";
  readonly chainId: number;
  readonly txHash: string;
  readonly logIndex: number;
}

/** The key of a payment. `permit2`, `voucher` and `mpp` will be further members. */
export type PaymentKey = Eip3009Key | TransferKey;

/** The payment's canonical id, such as `eip3009:42161:<asset>:<payer>:<nonce>`. */
export function paymentId(key: PaymentKey): string {
  switch (key.method) {
    case "eip3009":
      return `eip3009:${key.chainId}:${key.asset}:${key.payer}:${key.nonce}`;
    case "transfer":
      return `transfer:${key.chainId}:${key.txHash}:${key.logIndex}`;
  }
}

/** The key behind a canonical id, or null where the id is no payment's (`request:...`, `tx:...`). */
export function parsePaymentId(id: string): PaymentKey | null {
  if (id !== latest.id) latest = { id, key: parse(id) };
  return latest.key;
}

/** One payment is looked at many times in a row. */
let latest: { readonly id: string; readonly key: PaymentKey | null } = { id: "", key: null };

function parse(id: string): PaymentKey | null {
  const [method, chain = "", a = "", b = "", nonce = "", ...more] = id.split(":");
  if (!INTEGER.test(chain) || a === "" || b === "" || more.length > 0) return null;
  const chainId = Number(chain);
  if (method === "eip3009" && nonce !== "") return { method, chainId, asset: a, payer: b, nonce };
  if (method === "transfer" && nonce === "" && INTEGER.test(b))
    return { method, chainId, txHash: a, logIndex: Number(b) };
  return null;
}

const INTEGER = /^(?:0|[1-9]\d{0,15})$/;

/** Aliases: names that one or many payments answer to, each scoped so that nobody names another's. */
export const alias = {
  request: (agentId: string, requestId: string) => `req:${agentId}:${requestId}`,
  purchase: (payer: string, payTo: string, purchaseId: string) => `pur:${payer}:${payTo}:${purchaseId}`,
  transaction: (chainId: number, txHash: string) => `tx:${chainId}:${txHash}`,
  /** The session id's colons are escaped, so that no pair of manager and session reads as another. */
  session: (managerArn: string, sessionId: string) =>
    `ses:${managerArn}:${sessionId.replaceAll("%", "%25").replaceAll(":", "%3A")}`,
  wallet: (address: string) => `wal:${address}`,
} as const;

/** The list id of a request that has signed nothing yet, and of a hash that no payment claims. */
export const rowId = {
  request: (agentId: string, requestId: string) => `request:${agentId}:${requestId}`,
  transaction: (chainId: number, txHash: string) => `tx:${chainId}:${txHash}`,
} as const;
