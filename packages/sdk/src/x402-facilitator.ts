/** For those who run their own facilitator: the API's steps out of an unmodified x402 facilitator's hooks. */
import type { x402Facilitator } from "@x402/core/facilitator";
import type { Emitter } from "./emitter.ts";

export interface FacilitatorOptions {
  /** What it is called in the events. Default "self". */
  readonly name?: string;
}

/** The facilitator with our hooks on it. Returns the facilitator it was given. */
export declare function instrumentFacilitator(
  emitter: Emitter,
  facilitator: x402Facilitator,
  options?: FacilitatorOptions,
): x402Facilitator;
