/** A UTC day, and what the chain alone says of it: every movement out of the wallets, and their balances at both ends. */
import { windowOf } from "./windows.ts";

/** Half open, ISO-8601 UTC. */
export interface Day {
  /** `2026-11-23`. */
  readonly name: string;
  readonly start: string;
  readonly end: string;
}

/** The day that contains `at` (ISO-8601 UTC). */
export function dayOf(at: string): Day {
  const { start, end } = windowOf("day", at);
  return { name: at.slice(0, 10), start: start as string, end: end as string };
}

/** The day before. */
export function dayBefore({ start }: Day): Day {
  return dayOf(new Date(Date.parse(start) - 1).toISOString());
}

/** The day of a name such as `2026-11-23`; null where no calendar has it. */
export function dayNamed(name: string): Day | null {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(name)) return null;
  const ms = Date.parse(`${name}T00:00:00.000Z`);
  return Number.isNaN(ms) || new Date(ms).toISOString().slice(0, 10) !== name
    ? null
    : dayOf(new Date(ms).toISOString());
}

/** USDC that left a wallet, by the chain. */
export interface ChainMovement {
  readonly id: string;
  readonly wallet: string;
  readonly payee: string;
  /** Atomic units. */
  readonly amount: bigint;
  /** The block's time. */
  readonly at: string;
  readonly blockNumber: number;
  readonly txHash: string;
}

/** USDC's own figures of one wallet, atomic units: before the first block of the day, in it, and after the last block read. */
export interface WalletBalances {
  readonly opening: bigint;
  readonly incoming: bigint;
  readonly closing: bigint;
}

export interface ChainDay {
  /** The blocks that were read, both included; null where there are none. */
  readonly blocks: { readonly from: number; readonly to: number } | null;
  /** The time of the last block read. */
  readonly endAt: string | null;
  /** The chain has a block that is after the day. */
  readonly isOver: boolean;
  /** Blocks of the day that the chain has and that were not read, because the watcher has not come to them. */
  readonly unread: number;
  /** Movements out of the wallets; by block and log. */
  readonly movements: readonly ChainMovement[];
  /** By wallet; null where the node could not say. */
  readonly balances: ReadonlyMap<string, WalletBalances> | null;
  /** Why there are no balances, in words. */
  readonly unproved: string | null;
}
