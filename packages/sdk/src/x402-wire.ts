/** Reads x402's shapes, version 1 and 2, as strangers send them: what is usable of them in our contract's words. */
import type { Offer } from "@bursar/events/contract";
import type { Eip3009Key } from "@bursar/events/ids";
import { OFFERS_MAX } from "@bursar/events/limits";
import { isIdentifier } from "@bursar/events/text";

/** A signed authorization. Amounts and times are decimal strings. */
export interface Signed {
  readonly payment: Eip3009Key;
  readonly amount: string;
  readonly payTo: string;
  readonly validAfter?: string;
  readonly validBefore: string;
}

/** What a PAYMENT-RESPONSE says. */
export interface Settlement {
  /** The API's word; null where it gave none. */
  readonly settled: boolean | null;
  readonly txHash?: string;
  readonly errorCode?: string;
}

type Fields = Readonly<Record<string, unknown>>;

const ADDRESS = /^0x[0-9a-f]{40}$/i;
const HASH = /^0x[0-9a-f]{64}$/i;
const UINT = /^(?:0|[1-9]\d{0,77})$/;
/** Version 1 names networks; these are the EVM ones that its servers use, and Arbitrum, which they may. */
const NETWORKS_V1: Readonly<Record<string, string>> = {
  arbitrum: "eip155:42161",
  "arbitrum-one": "eip155:42161",
  "arbitrum-sepolia": "eip155:421614",
  base: "eip155:8453",
  "base-sepolia": "eip155:84532",
  ethereum: "eip155:1",
  polygon: "eip155:137",
  avalanche: "eip155:43114",
};
/** Longer headers are no honest payment's. */
const HEADER_LENGTH_MAX = 256 * 1024;

/** The JSON in a base64 header, or null. */
export function decodeHeader(value: string | null | undefined): Fields | null {
  if (value === null || value === undefined || value.length > HEADER_LENGTH_MAX) return null;
  try {
    return fields(JSON.parse(Buffer.from(value, "base64").toString("utf8")));
  } catch {
    return null;
  }
}

/** The usable ones of a 402's `accepts`: one that is malformed would cost the whole event. */
export function readOffers(accepts: unknown): Offer[] {
  if (!Array.isArray(accepts)) return [];
  return accepts
    .slice(0, OFFERS_MAX)
    .map(readOffer)
    .filter((offer) => offer !== null);
}

export function readOffer(requirements: unknown): Offer | null {
  const { scheme, network, asset, amount, maxAmountRequired, payTo, maxTimeoutSeconds } = fields(requirements) ?? {};
  const offer = {
    scheme: String(scheme),
    network: NETWORKS_V1[String(network)] ?? String(network),
    asset: String(asset),
    amount: String(amount ?? maxAmountRequired),
    payTo: String(payTo),
    maxTimeoutSeconds:
      Number.isSafeInteger(maxTimeoutSeconds) && Number(maxTimeoutSeconds) >= 0 ? Number(maxTimeoutSeconds) : 0,
  };
  const { asset: token, payTo: payee } = offer;
  if (![scheme, network, asset, payTo].every((value) => typeof value === "string" && isIdentifier(value))) return null;
  if (!UINT.test(offer.amount)) return null;
  if (offer.network.startsWith("eip155:") && !(ADDRESS.test(token) && ADDRESS.test(payee))) return null;
  return offer;
}

/**
 * The EIP-3009 authorization of a payment payload, or null where it holds none (permit2, other chains).
 * Version 1 payloads do not carry what they accept: `requirements` says it.
 */
export function readSigned(payload: unknown, requirements?: unknown): Signed | null {
  const outer = fields(payload);
  const accepted = readOffer(outer?.accepted) ?? readOffer(requirements);
  const signed = fields(fields(outer?.payload)?.authorization);
  if (accepted === null || signed === null) return null;
  const chainId = Number(/^eip155:(\d{1,15})$/.exec(accepted.network)?.[1] ?? Number.NaN);
  const [payer, payTo, nonce] = [String(signed.from), String(signed.to), String(signed.nonce)];
  const [amount, validAfter, validBefore] = [
    String(signed.value),
    String(signed.validAfter),
    String(signed.validBefore),
  ];
  if (!Number.isSafeInteger(chainId) || !ADDRESS.test(payer) || !ADDRESS.test(payTo) || !HASH.test(nonce)) return null;
  if (!UINT.test(amount) || !UINT.test(validBefore)) return null;
  return {
    payment: {
      method: "eip3009",
      chainId,
      asset: accepted.asset.toLowerCase(),
      payer: payer.toLowerCase(),
      nonce: nonce.toLowerCase(),
    },
    amount,
    payTo: payTo.toLowerCase(),
    ...(UINT.test(validAfter) ? { validAfter } : {}),
    validBefore,
  };
}

/** The id that the `payment-identifier` extension gives a purchase: `extensions["payment-identifier"].info.id`. */
export function readPurchaseId(payload: unknown): { purchaseId?: string } {
  const extension = fields(fields(fields(payload)?.extensions)?.["payment-identifier"]);
  const id = fields(extension?.info)?.id;
  return typeof id === "string" && isIdentifier(id) ? { purchaseId: id } : {};
}

/** What a settle response says. An empty hash is none, and `success: false` proves nothing about the chain. */
export function readSettlement(response: unknown): Settlement {
  const { success, transaction, errorReason } = fields(response) ?? {};
  return {
    settled: typeof success === "boolean" ? success : null,
    ...(isHash(transaction) ? { txHash: transaction } : {}),
    ...(typeof errorReason === "string" && errorReason !== "" ? { errorCode: errorReason } : {}),
  };
}

export function isHash(value: unknown): value is string {
  return typeof value === "string" && HASH.test(value);
}

export function fields(value: unknown): Fields | null {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : null;
}
