/** ProcessPayment: an x402 offer becomes an EIP-3009 authorization, once the session has room for it. It only signs. */
import { UINT256_END } from "@bursar/events/money";
import { type Address, getAddress, isAddress } from "viem";
import { type SignedAuthorization, signAuthorization } from "../authorization.ts";
import { NETWORK } from "../network.ts";
import { USDC } from "../usdc.ts";
import { invalid, invalidField } from "./errors.ts";
import { type Fields, fieldsOf, type Input, integerOf, managerArn, oneOf, sessionId, textOf } from "./input.ts";
import type { Instruments } from "./instruments.ts";
import { letters, type Sessions } from "./sessions.ts";

/** What of an x402 offer goes into a signature. */
interface Offer {
  readonly version: string;
  readonly payTo: Address;
  readonly amount: bigint;
  readonly maxTimeoutSeconds: number;
}

const UINT = /^(0|[1-9]\d{0,77})$/;

/** Seconds; a year is longer than any seller asks for. */
const TIMEOUT_MAX = 31_536_000;

/** Signs for an offer and answers as AWS does: PROOF_GENERATED, a signature, and no transaction hash. */
export async function processPayment(
  input: Input,
  sessions: Sessions,
  instruments: Instruments,
  now: () => number,
): Promise<object> {
  const { body } = input;
  oneOf(body, "paymentType", ["CRYPTO_X402", "MPP"]);
  if (body.paymentType === "MPP") throw invalid("This plane processes CRYPTO_X402 payments only");
  const payment = fieldsOf(body.paymentInput, "paymentInput");
  const offer = offerOf(fieldsOf(payment.cryptoX402, "paymentInput.cryptoX402"));
  const { account, instrumentId } = instruments.signing(input);
  const { giveBack } = sessions.take(input, offer.amount);
  const at = now();
  let signed: SignedAuthorization;
  try {
    const validBefore = BigInt(Math.floor(at / 1000) + offer.maxTimeoutSeconds);
    signed = await signAuthorization(account, { to: offer.payTo, value: offer.amount, validAfter: 0n, validBefore });
  } catch (error) {
    giveBack();
    throw error;
  }
  return {
    processPaymentId: `process-payment-${letters()}`,
    paymentManagerArn: managerArn(body),
    paymentSessionId: sessionId(body),
    paymentInstrumentId: instrumentId,
    paymentType: "CRYPTO_X402",
    status: "PROOF_GENERATED",
    paymentOutput: { cryptoX402: { version: offer.version, payload: shownSigned(signed) } },
    createdAt: new Date(at).toISOString(),
    updatedAt: new Date(at).toISOString(),
  };
}

/** One entry of an x402 402's `accepts`; version 1 calls the amount `maxAmountRequired` and has names for networks. */
function offerOf(crypto: Fields): Offer {
  const version = oneOf(crypto, "version", ["1", "2"]);
  if (crypto.permit2AllowanceLimit !== undefined)
    throw invalid("permit2AllowanceLimit is valid for the upto scheme only");
  const payload = fieldsOf(crypto.payload, "paymentInput.cryptoX402.payload");
  if (textOf(payload, "scheme") !== "exact") throw invalid(`Unsupported x402 scheme: ${payload.scheme}`);
  const network = textOf(payload, "network");
  if (network !== (version === "1" ? "arbitrum" : NETWORK)) throw invalid(`Unsupported x402 network: ${network}`);
  const asset = textOf(payload, "asset");
  if (asset.toLowerCase() !== USDC) throw invalid(`Unsupported x402 asset: ${asset}`);
  const name = version === "1" ? "maxAmountRequired" : "amount";
  const amount = textOf(payload, name);
  if (!UINT.test(amount) || BigInt(amount) >= UINT256_END)
    throw invalidField(name, amount, "Member must be an amount in atomic units");
  const payTo = textOf(payload, "payTo").toLowerCase();
  if (!isAddress(payTo)) throw invalidField("payTo", payTo, "Member must be an address");
  const maxTimeoutSeconds = integerOf(payload, "maxTimeoutSeconds", 1, TIMEOUT_MAX);
  return { version, payTo: getAddress(payTo), amount: BigInt(amount), maxTimeoutSeconds };
}

/** As x402's `exact` scheme writes it: numbers as decimal strings. */
function shownSigned({ authorization, signature }: SignedAuthorization): object {
  const { from, to, value, validAfter, validBefore, nonce } = authorization;
  return {
    signature,
    authorization: {
      from,
      to,
      value: String(value),
      validAfter: String(validAfter),
      validBefore: String(validBefore),
      nonce,
    },
  };
}
