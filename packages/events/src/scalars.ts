/** The contract's smallest parts: each checks a text or number of a stranger and gives it the one form we keep. */
import * as z from "zod";
import { UINT256_END } from "./money.ts";
import { cleanText, cleanUrl, ID_MAX, isIdentifier } from "./text.ts";

export const address = z
  .string()
  .regex(/^0[xX][0-9a-fA-F]{40}$/, "must be an address: 0x and 40 hex digits")
  .toLowerCase();

export const hash = z
  .string()
  .regex(/^0[xX][0-9a-fA-F]{64}$/, "must be 0x and 64 hex digits")
  .toLowerCase();

/** A uint256 as a decimal string: no sign, point, exponent or leading zero. */
export const uint256 = z
  .string()
  .regex(/^(?:0|[1-9]\d{0,77})$/, {
    error: "must be a decimal string below 2^256, without sign, point or leading zero",
    abort: true, // else the next check would read a long word as a number, which throws
  })
  .refine((text) => text.length < 78 || BigInt(text) < UINT256_END, "must be below 2^256");

export const integer = z.int("must be a JSON integer").min(0, "must not be negative");

export const identifier = z
  .string()
  .min(1, "must not be empty")
  .max(ID_MAX, `must be at most ${ID_MAX} characters`)
  .refine(isIdentifier, `must be 1 to ${ID_MAX} characters without control characters`);

/** An identifier where many stand together: no chain's names of assets and accounts are longer. */
export const shortIdentifier = z
  .string()
  .max(128, "must be at most 128 characters")
  .refine(isIdentifier, "must be 1 to 128 characters without control characters");

/** Free text: cut and cleaned, never refused for its length. */
export const text = z.string().transform(cleanText);

export const url = z.string().min(1, "must not be empty").transform(cleanUrl);

/** A canonical time of a day that every month has: most are, and need no calendar. */
const PLAIN = /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}Z$/;
const CANONICAL = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/;
const ISO = /^(\d{4}-\d{2}-\d{2}T([01]\d|2[0-3]):[0-5]\d:[0-5]\d)(?:\.(\d{1,9}))?(Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/;

/** A time, any offset and up to nine decimals, as ISO-8601 UTC with milliseconds; null where it is none. */
export function canonicalTime(text: string): string | null {
  if (PLAIN.test(text)) return text;
  if (CANONICAL.test(text)) {
    const at = new Date(text);
    return Number.isNaN(at.getTime()) || at.toISOString() !== text ? null : text;
  }
  const match = ISO.exec(text);
  if (match === null) return null;
  const [, seconds, , fraction = "", offset] = match;
  if (canonicalTime(`${seconds}.000Z`) === null) return null; // 30 February
  const at = new Date(`${seconds}.${fraction.slice(0, 3).padEnd(3, "0")}${offset}`).toISOString();
  return at.length === 24 ? at : null;
}

export const time = z.string().transform((text, context) => {
  const at = canonicalTime(text);
  if (at !== null) return at;
  context.issues.push({
    code: "custom",
    message: 'must be an ISO-8601 time with an offset, like "2026-11-20T10:00:00.000Z"',
    input: text,
  });
  return z.NEVER;
});
