/** AgentCore's amounts, `{ value: "100.00", currency: "USD" }`, in atomic units of USDC. */
import type { Amount } from "@aws-sdk/client-bedrock-agentcore";
import { MoneyError, parseUsd } from "@bursar/events/money";
import { clean } from "@bursar/events/text";
import { GarbageError } from "./garbage.ts";

/** Longest amount that is looked at; a uint256 of atomic units has 73 digits before its point. */
const LENGTH_MAX = 100;
/** Zeros after the sixth decimal say nothing. */
const IDLE_ZEROS = /^(\d+\.\d{6})0+$/;

/**
 * Dollars in atomic units, one dollar a USDC. Exact: zeros after the sixth decimal are dropped, any other digit there
 * is refused and not rounded, since USDC has no such amount and a rounded cap is another cap.
 * @throws {GarbageError} for another currency and for what is no amount of dollars, naming `field` and the value.
 */
export function readAmount({ value, currency }: Amount, field: string): bigint {
  if (currency !== "USD") throw new GarbageError(`${field} is in ${named(currency)}, not in USD`);
  if (typeof value !== "string" || value.length > LENGTH_MAX) {
    throw new GarbageError(`${field} is ${named(value)}, no amount of dollars`);
  }
  try {
    return parseUsd(value.replace(IDLE_ZEROS, "$1"));
  } catch (error) {
    if (!(error instanceof MoneyError)) throw error;
    throw new GarbageError(`${field} is ${named(value)}, which cannot be read exactly as dollars`);
  }
}

function named(value: unknown): string {
  return typeof value === "string" ? `"${clean(value, 40)}"` : `of type ${value === null ? "null" : typeof value}`;
}
