/**
 * One wallet over time, as a pure state machine: each reading of its balance decides how it stands and what must be
 * told. It stands so only by what was read from the chain; an agent's word, a failed payment among them, proves nothing.
 *
 * Hysteresis, so that a balance at a limit tells of itself once: a wallet is empty below `emptyUsd`, or at zero, until
 * it holds twice `emptyUsd`; low below `lowUsd` until it holds 1.2 times `lowUsd`; its runway is short below
 * `runwayHours` until it is 1.2 times that.
 */
import type { Config } from "@bursar/events/config-schema";
import type { Wallet } from "@bursar/events/shapes";
import type { WalletReading } from "./ports.ts";
import { type Burn, noBurn, runwayOf } from "./wallet-burn.ts";

export type WalletLimits = Config["wallets"];
export type WalletStatus = Wallet["status"];

/** Conditions of a wallet that an alert stands for while they last. */
export const WALLET_RULES = ["wallet_low", "wallet_empty", "wallet_runway", "wallet_blacklisted"] as const;
export type WalletRule = (typeof WALLET_RULES)[number];

/** A wallet as it is kept in its item. Amounts are atomic units, decimal. */
export interface WalletState {
  readonly address: string;
  readonly agentIds: readonly string[];
  readonly status: WalletStatus;
  /** Since when it has this status. */
  readonly statusSince: string;
  /** Null where the last reading brought none. */
  readonly balance: string | null;
  /** The block and the time of the last reading; null before the first. */
  readonly block: number | null;
  readonly readAt: string | null;
  /** Seconds at the last reading. */
  readonly runwaySeconds: number | null;
  readonly blocked: "blacklisted" | "paused" | null;
  readonly burn: Burn;
  /** What stands, and since when. */
  readonly standing: { readonly [Rule in WalletRule]?: string };
  /** What began or ended and whose alert does not say so yet: a crash must not lose it. */
  readonly untold: readonly WalletRule[];
  /** USDC that left by no movement that was seen, the latest MISSING_MAX. */
  readonly missing: readonly Missing[];
}

/** At `to` the wallet held so much less than at `from` that the movements between them do not say why. */
export interface Missing {
  readonly amount: string;
  readonly from: number;
  readonly to: number;
  /** When it was noticed. */
  readonly at: string;
  /** Null while it may still be explained: a node may show a balance before its logs. */
  readonly toldAt: string | null;
}

const MISSING_MAX = 5;

export function newWallet(address: string, agentIds: readonly string[], now: string): WalletState {
  return {
    address,
    agentIds,
    status: "unknown",
    statusSince: now,
    balance: null,
    block: null,
    readAt: null,
    runwaySeconds: null,
    blocked: null,
    burn: noBurn(now),
    standing: {},
    untold: [],
    missing: [],
  };
}

/** How a balance stands, after how it stood. */
export function statusOf(before: WalletStatus, balance: bigint, { lowUsd, emptyUsd }: WalletLimits): WalletStatus {
  const wasEmpty = before === "empty";
  if (balance === 0n || balance < (wasEmpty ? emptyUsd * 2n : emptyUsd)) return "empty";
  const wasLow = wasEmpty || before === "low";
  return wasLow ? (balance * 5n < lowUsd * 6n ? "low" : "ok") : balance < lowUsd ? "low" : "ok";
}

export interface Taken {
  readonly block: number;
  readonly now: string;
  readonly reading: WalletReading;
  readonly paused: boolean | null;
  /**
   * What was seen to leave after the last reading's block up to this one's; null where the two cannot be compared: the
   * first since a start, or a reorg came between.
   */
  readonly left: bigint | null;
}

/** The wallet after a reading. A balance that could not be read makes it unknown, and ends nothing that stands. */
export function withReading(before: WalletState, taken: Taken, limits: WalletLimits): WalletState {
  const { block, now, reading, paused } = taken;
  const { balance, blacklisted } = reading;
  const status = balance === null ? "unknown" : statusOf(lastKnown(before), balance, limits);
  const runwaySeconds = balance === null ? null : runwayOf(balance, before.burn, now);
  const state: WalletState = {
    ...before,
    status,
    statusSince: status === before.status ? before.statusSince : now,
    balance: balance === null ? null : balance.toString(),
    block,
    readAt: now,
    runwaySeconds,
    blocked: blacklisted === true ? "blacklisted" : paused === true ? "paused" : null,
    missing: withMissing(before, taken),
  };
  return withStanding(state, before, limits, now);
}

/** What left without being seen, null where all is explained or nothing can be said. */
export function shortfall(before: WalletState, balance: bigint | null, left: bigint | null): bigint | null {
  if (left === null || balance === null || before.balance === null) return null;
  const expected = BigInt(before.balance) - left;
  return balance < expected ? expected - balance : null;
}

/**
 * With a movement that was heard of after the reading that missed it. One that stood in another block before, `before`,
 * explains nothing of what was noticed with it counted in.
 */
export function explained(
  state: WalletState,
  block: number,
  amount: bigint,
  before: number | null = null,
): WalletState {
  let left = amount;
  const isIn = (one: Missing, number: number): boolean => number > one.from && number <= one.to;
  const missing = state.missing.map((one) => {
    if (!isIn(one, block) || (before !== null && isIn(one, before)) || left === 0n) return one;
    const gap = BigInt(one.amount);
    const part = left < gap ? left : gap;
    left -= part;
    return { ...one, amount: (gap - part).toString() };
  });
  return left === amount ? state : { ...state, missing };
}

/** Nobody's any more: nothing of it stands. */
export function released(state: WalletState): WalletState {
  return { ...state, standing: {}, untold: [...new Set([...state.untold, ...rulesOf(state)])], missing: [] };
}

export const rulesOf = ({ standing }: WalletState): WalletRule[] =>
  WALLET_RULES.filter((rule) => standing[rule] !== undefined);

/** A wallet whose balance could not be read for a while stands where it stood before. */
function lastKnown({ status, standing }: WalletState): WalletStatus {
  if (status !== "unknown") return status;
  return standing.wallet_empty !== undefined ? "empty" : standing.wallet_low !== undefined ? "low" : "unknown";
}

/**
 * With what this reading misses. And what the one before has missed is no riddle where this one has too much: a node that
 * makes a block while it answers may show the balance after it, and the block's movements are counted only now.
 */
function withMissing(before: WalletState, { block, now, reading, left }: Taken): readonly Missing[] {
  const gap = shortfall(before, reading.balance, left);
  if (gap === null) return withoutEarly(before, reading.balance, left);
  if (before.block === null) return before.missing;
  const noticed: Missing = { amount: gap.toString(), from: before.block, to: block, at: now, toldAt: null };
  return [...before.missing, noticed].slice(-MISSING_MAX);
}

function withoutEarly(before: WalletState, balance: bigint | null, left: bigint | null): readonly Missing[] {
  if (left === null || balance === null || before.balance === null) return before.missing;
  const surplus = balance - (BigInt(before.balance) - left);
  return before.missing.map((one) => {
    if (one.toldAt !== null || one.to !== before.block) return one;
    const gap = BigInt(one.amount);
    return { ...one, amount: (gap - (surplus < gap ? surplus : gap)).toString() };
  });
}

function withStanding(state: WalletState, before: WalletState, limits: WalletLimits, now: string): WalletState {
  const stands: { readonly [Rule in WalletRule]: boolean } = {
    ...moneyRules(state, before, limits),
    wallet_blacklisted: state.blocked === "blacklisted",
  };
  const changed = WALLET_RULES.filter((rule) => stands[rule] !== (before.standing[rule] !== undefined));
  if (changed.length === 0) return state;
  const standing = Object.fromEntries(
    WALLET_RULES.filter((rule) => stands[rule]).map((rule) => [rule, before.standing[rule] ?? now]),
  );
  return { ...state, standing, untold: [...new Set([...state.untold, ...changed])] };
}

function moneyRules(state: WalletState, { standing }: WalletState, { runwayHours }: WalletLimits) {
  const had = (rule: WalletRule): boolean => standing[rule] !== undefined;
  const { status, runwaySeconds } = state;
  if (status === "unknown")
    return {
      wallet_low: had("wallet_low"),
      wallet_empty: had("wallet_empty"),
      wallet_runway: had("wallet_runway"),
    };
  const short = Math.round(runwayHours * 3600 * (had("wallet_runway") ? 1.2 : 1));
  return {
    // One that was told of as low and is empty now is both; one that fell from enough to nothing is empty alone.
    wallet_low: status === "low" || (status === "empty" && had("wallet_low")),
    wallet_empty: status === "empty",
    // An empty wallet has no runway left to speak of.
    wallet_runway: status !== "empty" && runwaySeconds !== null && runwaySeconds < short,
  };
}
