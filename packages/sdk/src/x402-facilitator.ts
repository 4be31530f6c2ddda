/** For those who run their own facilitator: the API's steps out of an unmodified x402 facilitator's hooks. */
import type { Emitter } from "./emitter.ts";
import { settled, settleFailed, verificationFailed, verificationStarted } from "./paid-steps.ts";
import { hook } from "./quietly.ts";

export interface FacilitatorOptions {
  /** What it is called in the events. Default "self". */
  readonly name?: string;
}

/** As much of x402's `x402Facilitator` as we use, so that our types need no x402 installed. */
export interface Facilitator {
  onBeforeVerify(hook: (context: HookContext) => Promise<void>): unknown;
  onVerifyFailure(hook: (context: HookContext & { error: Error }) => Promise<void>): unknown;
  onAfterSettle(hook: (context: HookContext & { result: { success: boolean } }) => Promise<void>): unknown;
  onSettleFailure(hook: (context: HookContext & { error: Error }) => Promise<void>): unknown;
}

interface HookContext {
  readonly paymentPayload: object;
  readonly requirements: object;
}

const hooked = new WeakSet<object>();

/**
 * The facilitator with our hooks on it; the facilitator itself is returned.
 *
 *     const facilitator = instrumentFacilitator(emitter, new x402Facilitator());
 */
export function instrumentFacilitator<F extends Facilitator>(
  emitter: Emitter,
  facilitator: F,
  options: FacilitatorOptions = {},
): F {
  if (hooked.has(facilitator)) return facilitator;
  hooked.add(facilitator);
  const teller = { emitter, facilitator: options.name ?? "self", request: {} };
  facilitator.onBeforeVerify(
    hook(({ paymentPayload, requirements }) => void verificationStarted(teller, paymentPayload, requirements)),
  );
  facilitator.onVerifyFailure(
    hook(({ paymentPayload, requirements, error }) => verificationFailed(teller, paymentPayload, requirements, error)),
  );
  facilitator.onAfterSettle(
    hook(({ paymentPayload, requirements, result }) => {
      if (result.success) settled(teller, paymentPayload, requirements, result);
      else settleFailed(teller, paymentPayload, requirements, result);
    }),
  );
  facilitator.onSettleFailure(
    hook(({ paymentPayload, requirements, error }) => settleFailed(teller, paymentPayload, requirements, error)),
  );
  return facilitator;
}
