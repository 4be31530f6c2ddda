/** What entitled people claimed of a payment: amounts, payees, offers, hashes, validity. */
import type { EventOf, Offer } from "@bursar/events/contract";
import { type Entry, type Evidence, ofType } from "./evidence.ts";
import { compareStamped, lastOf, type Stamped } from "./slot.ts";

export interface Claim {
  readonly amount: bigint;
  readonly payTo: string;
}

export interface Claims {
  /** What the agent signed, every distinct value. */
  readonly signed: readonly Claim[];
  /** What the API verified, every distinct value. */
  readonly verified: readonly Claim[];
  /** What config-listed APIs verified: only their word binds them. */
  readonly largestSigned: Claim | null;
  readonly largest: Claim | null;
  /** The offer accepted last at or before the signing. */
  readonly offer: Offer | null;
  /** Every offer that a signed fact itself names as accepted. */
  readonly offers: readonly Offer[];
  /** `upto` where any entitled party says so; an unknown scheme counts as `exact`. */
  readonly upto: boolean;
  /** Hashes that facts with this payment name, each with its first time; ascending. */
  readonly hashes: readonly { readonly txHash: string; readonly at: string }[];
  /** Proven unused past the greatest validBefore that anyone entitled claimed. */
  readonly expired: boolean;
  /** The earliest time of an own fact that counts; null where none does. */
  readonly firstAt: string | null;
}

export function claimsOf(evidence: Evidence): Claims {
  const { agent, api, chain } = evidence;
  const signedEntries = ofType(agent, "agent.authorization_signed");
  const verifiedEntries = ofType(api, "api.verification_started");
  const signed = claimed(signedEntries);
  const verified = claimed(verifiedEntries);
  const offers = signedEntries
    .flatMap(({ values }) => values.map(({ value }) => value.accepted as unknown as Offer | undefined))
    .filter((offer) => offer !== undefined);
  const offer = offers[0] ?? requestedOffer(evidence.joined, signedEntries);
  const known = offers.length > 0 ? offers : offer === null ? [] : [offer];
  const schemes = [
    ...known.map(({ scheme }) => scheme),
    ...verifiedEntries.flatMap(({ values }) => values.map(({ value }) => value.scheme)),
  ];
  return {
    signed,
    verified,
    largestSigned: largest(signed),
    largest: largest([...signed, ...verified]),
    offer,
    offers: known,
    upto: schemes.includes("upto"),
    hashes: hashesOf([...agent, ...api]),
    expired: isExpired(chain, [...signedEntries, ...verifiedEntries]),
    firstAt: firstOf([...agent, ...api, ...chain]),
  };
}

/** The greatest amount; between equals the lesser payee, so that no order shows. */
export function largest(claims: readonly Claim[]): Claim | null {
  let best: Claim | null = null;
  for (const claim of claims) {
    if (best === null || claim.amount > best.amount || (claim.amount === best.amount && claim.payTo < best.payTo))
      best = claim;
  }
  return best;
}

function claimed(entries: readonly Entry[]): Claim[] {
  return entries.flatMap(({ values }) =>
    values.map(({ value }) => ({ amount: BigInt(value.amount as string), payTo: value.payTo as string })),
  );
}

/** A re-priced second 402 is no mismatch: the offer is the last one accepted at or before the signing. */
function requestedOffer(joined: readonly Entry[], signed: readonly Entry[]): Offer | null {
  const requested = ofType(joined, "agent.authorization_requested").flatMap(({ slot, values }) => [
    ...values,
    lastOf(slot),
  ]);
  const signedAt = signed.map(({ values }) => values[0]?.at ?? "").sort()[0];
  let last: Stamped | null = null;
  for (const stamped of requested) {
    if (signedAt !== undefined && stamped.at > signedAt) continue;
    if (last === null || compareStamped(stamped, last) > 0) last = stamped;
  }
  return last === null ? null : ((last.value as unknown as EventOf<"agent.authorization_requested">).accepted as Offer);
}

function hashesOf(entries: readonly Entry[]): { txHash: string; at: string }[] {
  const first = new Map<string, string>();
  for (const { values, type } of entries) {
    if (type === "?") continue;
    for (const { at, value } of values) {
      const txHash = value.txHash as string | undefined;
      if (txHash === undefined) continue;
      const known = first.get(txHash);
      if (known === undefined || at < known) first.set(txHash, at);
    }
  }
  return [...first].map(([txHash, at]) => ({ txHash, at })).sort((a, b) => (a.txHash < b.txHash ? -1 : 1));
}

/** Only the chain's word ends a signature, and only about a time past every entitled claim. */
function isExpired(chain: readonly Entry[], claims: readonly Entry[]): boolean {
  let proven = -1n;
  for (const { values } of ofType([...chain], "chain.expired")) {
    for (const { value } of values) proven = max(proven, BigInt(value.validBefore as string));
  }
  if (proven < 0n) return false;
  return claims.every(({ values }) => values.every(({ value }) => BigInt(value.validBefore as string) <= proven));
}

const max = (a: bigint, b: bigint): bigint => (a > b ? a : b);

function firstOf(entries: readonly Entry[]): string | null {
  let first: string | null = null;
  for (const { values } of entries) {
    const at = values[0]?.at;
    if (at !== undefined && (first === null || at < first)) first = at;
  }
  return first;
}

/** The greatest validBefore that anyone entitled claimed; null where nobody did. */
export function validBeforeOf({ agent, api }: Evidence): string | null {
  let greatest: bigint | null = null;
  for (const { type, values } of [...agent, ...api]) {
    if (type !== "agent.authorization_signed" && type !== "api.verification_started") continue;
    for (const { value } of values) {
      const validBefore = BigInt(value.validBefore as string);
      if (greatest === null || validBefore > greatest) greatest = validBefore;
    }
  }
  return greatest?.toString() ?? null;
}
