/** For those who run their own facilitator: the API's steps out of an unmodified x402 facilitator's hooks. */
import type { x402Facilitator } from "@x402/core/facilitator";
import type { Emitter } from "./emitter.ts";
import { settled, settleFailed, verificationFailed, verificationStarted } from "./paid-steps.ts";
import { hook } from "./quietly.ts";

export interface FacilitatorOptions {
  /** What it is called in the events. Default "self". */
  readonly name?: string;
}

const hooked = new WeakSet<object>();

/**
 * The facilitator with our hooks on it; the facilitator itself is returned.
 *
 *     const facilitator = instrumentFacilitator(emitter, new x402Facilitator());
 */
export function instrumentFacilitator(
  emitter: Emitter,
  facilitator: x402Facilitator,
  options: FacilitatorOptions = {},
): x402Facilitator {
  if (hooked.has(facilitator)) return facilitator;
  hooked.add(facilitator);
  const teller = { emitter, facilitator: options.name ?? "self", request: {} };
  return facilitator
    .onBeforeVerify(
      hook(({ paymentPayload, requirements }) => verificationStarted(teller, paymentPayload, requirements)),
    )
    .onVerifyFailure(
      hook(({ paymentPayload, requirements, error }) =>
        verificationFailed(teller, paymentPayload, requirements, error),
      ),
    )
    .onAfterSettle(
      hook(({ paymentPayload, requirements, result }) => {
        if (result.success) settled(teller, paymentPayload, requirements, result);
        else settleFailed(teller, paymentPayload, requirements, result);
      }),
    )
    .onSettleFailure(
      hook(({ paymentPayload, requirements, error }) => settleFailed(teller, paymentPayload, requirements, error)),
    );
}
