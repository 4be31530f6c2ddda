/**
 * The last bound on a payment's size. Slots are bounded each, but speakers are many, and whoever could make a payment
 * too large to be written could keep its spend out of the books. What would not fit keeps what moves money.
 */
import type { Directory } from "./directory.ts";
import { evidenceOf } from "./evidence.ts";
import type { Folded, Slots } from "./payment.ts";
import { isRow } from "./rows.ts";
import type { Slot } from "./slot.ts";

/** Bytes of JSON that a payment may take: a store holds 400 KB, and its books and indexes want room too. */
export const PAYMENT_BYTES_MAX = 256 * 1024;

/** A payment of so few slots always fits: one is rarely above some KB. */
const SLOTS_SAFE = 24;

/** Of its aliases it keeps what closes or stops it. */
const CLOSING: ReadonlySet<string> = new Set(["chain.reverted", "session.revoked", "wallet.claimed"]);

/** The payment itself where it fits, else without foreign speakers and aliases' stories, each slot at its least and most. */
export function fit(payment: Folded, directory: Directory): Folded {
  if (slotsOf(payment.own) + slotsOf(payment.context) <= SLOTS_SAFE && siblingsOf(payment) <= SLOTS_SAFE)
    return payment;
  if (bytesOf(payment) <= PAYMENT_BYTES_MAX) return payment;
  if (isRow(payment.id)) {
    return { ...payment, context: pick(payment.context, (group) => group.includes("|agent:"), thin), siblings: {} };
  }
  const { agent, api, chain } = evidenceOf(payment, directory);
  const speakers = new Set(
    [...agent, ...api, ...chain].map(({ type, kind, who }) => `${type}|${kind}${who === "" ? "" : `:${who}`}`),
  );
  const own = pick(payment.own, (group) => speakers.has(group), thin);
  const context = pick(
    payment.context,
    (group) => CLOSING.has(group.slice(0, group.indexOf("|"))),
    (slot) => slot,
  );
  return { ...payment, own, context, siblings: {} };
}

/** The least value, the greatest claims, the last word. */
function thin(slot: Slot): Slot {
  return { ...slot, least: slot.least.slice(0, 1), ...(slot.least.length > 1 ? { more: true } : {}) };
}

function pick(slots: Slots, keep: (group: string) => boolean, change: (slot: Slot) => Slot): Slots {
  const kept = Object.entries(slots).filter(([group]) => keep(group));
  return Object.fromEntries(
    kept.map(([group, keys]) => [
      group,
      Object.fromEntries(Object.entries(keys).map(([key, slot]) => [key, change(slot)])),
    ]),
  );
}

function slotsOf(slots: Slots): number {
  let count = 0;
  for (const group in slots) for (const _key in slots[group]) count++;
  return count;
}

function siblingsOf({ siblings }: Folded): number {
  return Object.values(siblings).reduce((count, known) => count + Object.keys(known).length, 0);
}

/** Of JSON in UTF-8; three bytes a code unit is the most that it takes. */
function bytesOf(payment: Folded): number {
  const text = JSON.stringify([payment.own, payment.context, payment.siblings]);
  return text.length * 3 <= PAYMENT_BYTES_MAX ? text.length : new TextEncoder().encode(text).length;
}
