/** The API's steps between the demand and the answer, as a server's or a facilitator's hooks learn them. */
import { messageOf } from "./clean.ts";
import type { Emitter } from "./emitter.ts";
import { fields, readPurchaseId, readSettlement, readSigned, type Signed } from "./x402-wire.ts";

/** Who tells, and about which request. */
export interface Teller {
  readonly emitter: Emitter;
  /** Name or origin of who verifies and settles. */
  readonly facilitator: string | undefined;
  readonly request: { readonly agentId?: string; readonly requestId?: string };
}

/** Verification begins. Returns what was signed, null where v1 of the contract has no key for it. */
export function verificationStarted(
  teller: Teller,
  payload: unknown,
  requirements: unknown,
  at?: string,
): Signed | null {
  const signed = readSigned(payload, requirements);
  if (signed === null) return null;
  const { payment, amount, payTo, validBefore } = signed;
  const scheme = fields(requirements)?.scheme;
  teller.emitter.emit({
    type: "api.verification_started",
    ...(at === undefined ? {} : { at }),
    ...teller.request,
    ...readPurchaseId(payload),
    payment,
    amount,
    payTo,
    validBefore,
    ...(typeof scheme === "string" ? { scheme } : {}),
    ...by(teller),
  });
  return signed;
}

/** The payment was refused: a facilitator's answer `{ invalidReason }`, or an error. */
export function verificationFailed(teller: Teller, payload: unknown, requirements: unknown, why: unknown): void {
  const signed = readSigned(payload, requirements);
  const code = fields(why)?.invalidReason;
  const errorCode = typeof code === "string" && code !== "" ? code : undefined;
  const detail = fields(why)?.invalidMessage;
  const words =
    why instanceof Error ? messageOf(why) : typeof detail === "string" && detail !== "" ? detail : undefined;
  teller.emitter.emit({
    type: "api.payment_rejected",
    ...teller.request,
    ...readPurchaseId(payload),
    ...(signed === null ? {} : { payment: signed.payment }),
    reason: words ?? errorCode ?? "the payment was refused",
    ...(errorCode === undefined ? {} : { errorCode }),
  });
}

/** The facilitator says that it settled. Returns the hash, undefined where it gave none (vouchers). */
export function settled(teller: Teller, payload: unknown, requirements: unknown, result: unknown): string | undefined {
  const signed = readSigned(payload, requirements);
  const { txHash } = readSettlement(result);
  if (signed === null || txHash === undefined) return txHash;
  const common = { ...teller.request, ...readPurchaseId(payload), payment: signed.payment, txHash };
  teller.emitter.emit({ type: "api.transaction_submitted", ...common, ...by(teller) });
  teller.emitter.emit({ type: "api.transaction_confirmed", ...common });
  return txHash;
}

/** The facilitator said no, or did not answer: `why` is its answer or an error. No proof that nothing was paid. */
export function settleFailed(teller: Teller, payload: unknown, requirements: unknown, why: unknown): void {
  const signed = readSigned(payload, requirements);
  if (signed === null) return;
  // x402's SettleError carries the answer's fields itself.
  const { txHash, errorCode } = readSettlement(why);
  const detail = fields(why)?.errorMessage;
  const words =
    typeof detail === "string" && detail !== "" ? detail : why instanceof Error ? messageOf(why) : undefined;
  const common = { ...teller.request, ...readPurchaseId(payload), payment: signed.payment };
  if (txHash !== undefined)
    teller.emitter.emit({ type: "api.transaction_submitted", ...common, txHash, ...by(teller) });
  teller.emitter.emit({
    type: "api.settlement_failed",
    ...common,
    ...(txHash === undefined ? {} : { txHash }),
    reason: words ?? errorCode ?? "settlement failed",
    ...(errorCode === undefined ? {} : { errorCode }),
  });
}

function by({ facilitator }: Teller): { facilitator?: string } {
  return facilitator === undefined ? {} : { facilitator };
}
