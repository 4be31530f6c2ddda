/**
 * Keeps the governed wallets: hears what the chain's facts say left them, reads their balances when that is due, keeps
 * one item a wallet, and opens and resolves what must be told. A function of its ports and of now; the watcher's shell
 * calls it after each round.
 *
 * A balance is read every READ_MS, and at once for a wallet that is new, that its outflows took below a limit, or when
 * a reorg, a revert or a failed payment puts in question what was read. What began or ended stands in the
 * item as untold before its alert is moved, so that a crash in between loses none; alerts go by their rule and wallet
 * alone, so that telling twice tells nothing new.
 */
import type { EventOf } from "@bursar/events/contract";
import type { Told } from "@bursar/events/envelope";
import type { Alert, Wallet } from "@bursar/events/shapes";
import { raiseAlerts, resolveAlert } from "./alert-book.ts";
import type { BalanceReading, Balances, Store } from "./ports.ts";
import { type Burn, burnt } from "./wallet-burn.ts";
import { pausedAlertId, pausedCause, unpausedText } from "./wallet-causes.ts";
import {
  hear,
  keepEarly,
  leftBetween,
  noFlows,
  type Outflow,
  outflowOf,
  settleFlows,
  takeBack,
  takeUp,
} from "./wallet-flows.ts";
import { shownWallet } from "./wallet-items.ts";
import { createShelf, type Held, wantsWrite } from "./wallet-shelf.ts";
import { explained, shortfall, statusOf, type WalletLimits, type WalletState, withReading } from "./wallet-state.ts";
import { untoldOf } from "./wallet-telling.ts";

export interface KeeperParts {
  readonly store: Store;
  readonly chainId: number;
  /** The token, lower case. */
  readonly asset: string;
  readonly limits: WalletLimits;
  /** How old a balance may become, default READ_MS. */
  readonly readMs?: number | undefined;
}

export interface KeeperRound {
  /** The last block whose logs were read, all of whose facts were heard: balances are read at it. */
  readonly scanned: number;
  /** Whose the wallets are, by address, lower case: all that are governed now. */
  readonly owners: ReadonlyMap<string, readonly string[]>;
  readonly balances: Balances;
}

/** A wallet as it is now kept, and how it was kept before; null for one that nobody had read. */
export interface MovedWallet {
  readonly wallet: Wallet;
  readonly before: Pick<Wallet, "status" | "blocked"> | null;
}

export interface KeptRound {
  readonly alerts: readonly Alert[];
  readonly moved: readonly MovedWallet[];
  /** Wallets whose balances were asked for. */
  readonly read: number;
}

export interface WalletKeeper {
  /**
   * Takes in facts that are durable: the chain's, and the word of agents that a wallet has too little, which has it read
   * and proves nothing. Repeats change nothing.
   */
  heard(told: readonly Told[], now: string): void;
  /**
   * Reads what is due and makes it durable. One at a time. Throws for a passing fault of a node or the store: the next
   * round goes on from there.
   */
  round(round: KeeperRound, now: string): Promise<KeptRound>;
  /** The wallets that were read, as they are now: what has left since the reading is taken off. */
  figures(now: string): ReadonlyMap<string, Wallet>;
}

export const READ_MS = 10_000;
/** Between two readings that reverts, or failed payments, asked for. */
const HURRY_MS = 5_000;
/** Earlier blocks whose hashes are asked for with a reading. */
const EARLIER_MAX = 4;
/** After a reading that failed. */
const AGAIN_MS = 5_000;
/** What a token says that moves for nobody, or not for this wallet (Circle's FiatToken). */
const BLOCKED = /blacklist|paused/i;

export function createWalletKeeper(parts: KeeperParts): WalletKeeper {
  const { store, chainId, asset, limits, readMs = READ_MS } = parts;
  const shelf = createShelf(store, chainId);
  const { held, governed } = shelf;
  const flows = noFlows();
  const telling = { chainId, limits };
  /** Grows with each reorg: what is being read meanwhile may be of another chain. */
  let epoch = 0;
  /** The highest block of an outflow that a reorg moved or took back: below it a reading may miss, or hold, either. */
  let reorgedTo = 0;
  let paused: boolean | null = null;
  let allReadAt: string | null = null;
  let failedAt: string | null = null;
  let isHurried = false;

  function heard(told: readonly Told[], now: string): void {
    for (const one of told) {
      for (const own of shortOf(one)) own.isAsked = true;
      if (one.source.kind !== "chain") continue;
      if (one.event.type === "chain.orphaned") hearGone(one.event as EventOf<"chain.orphaned">, now);
      if (one.event.type === "chain.reverted") isHurried ||= asksForFlags(one.event as EventOf<"chain.reverted">);
      const outflow = outflowOf(one, chainId, asset);
      if (outflow !== null) hearLeft(outflow, now);
    }
  }

  function hearLeft(outflow: Outflow, now: string): void {
    const own = held.get(outflow.wallet);
    if (own === undefined) {
      keepEarly(flows, outflow);
      return;
    }
    const heard = hear(flows, outflow);
    if (heard === null) return;
    const { before } = heard;
    own.state = spent(own.state, outflow, before, now);
    if (before === null) return;
    // It left once: until the next reading it counts by its old block, by which the reading holds it or not.
    own.offset += inReading(own, outflow) - inReading(own, before);
    reorged(Math.max(before.block, outflow.block));
  }

  /** Blocks are gone: balances are read anew, and compared from there. */
  function hearGone(orphaned: EventOf<"chain.orphaned">, now: string): void {
    const gone = takeBack(flows, orphaned);
    reorged(gone?.block ?? 0);
    for (const own of held.values()) own.base = null;
    const own = gone === null ? undefined : held.get(gone.wallet);
    if (gone === null || own === undefined) return;
    own.state = { ...own.state, burn: unburnt(own.state.burn, gone, now) };
    own.offset -= inReading(own, gone);
  }

  function reorged(block: number): void {
    epoch += 1;
    reorgedTo = Math.max(reorgedTo, block);
    allReadAt = null;
  }

  /** The wallets that an agent says to have too little for a payment: those of its own that it may mean. */
  function shortOf({ source, event }: Told): readonly Held[] {
    if (source.kind !== "agent" || event.type !== "agent.payment_failed") return [];
    const { reason, payment } = event as EventOf<"agent.payment_failed">;
    if (reason !== "insufficient_funds") return [];
    const named = payment?.method === "eip3009" ? [held.get(payment.payer) ?? []].flat() : [...held.values()];
    return named.filter(({ state }) => state.agentIds.includes(source.id));
  }

  /** Of a token that is known to be paused, one more refusal is no news. */
  function asksForFlags({ reason = "" }: EventOf<"chain.reverted">): boolean {
    return BLOCKED.test(reason) && !(paused === true && /paused/i.test(reason));
  }

  async function round({ scanned, owners, balances }: KeeperRound, now: string): Promise<KeptRound> {
    await shelf.follow(owners, now);
    for (const outflow of takeUp(flows, (wallet) => held.has(wallet))) hearLeft(outflow, now);
    const due = dueAt(now);
    const alerts: Alert[] = [];
    const fresh = new Set<Held>();
    if (due.length > 0) {
      const began = epoch;
      const isAll = due.length === governed().length;
      if (isAll) isHurried = false;
      failedAt = now;
      const reading = await balances.read(
        due.map(({ state }) => state.address),
        scanned,
        earlierBlocks(due),
      );
      failedAt = null;
      for (const own of due) if (take(own, reading, began, now)) fresh.add(own);
      if (isAll && epoch === began) allReadAt = now;
      alerts.push(...(await tellPaused(reading.paused, now)));
    }
    const changed = [...held.values()].filter((own) => wantsWrite(own, fresh.has(own), now));
    const moved = changed.flatMap((own) => movedBy(own, now));
    await shelf.write(changed, now);
    alerts.push(...(await tell(now)));
    shelf.clear();
    return { alerts, moved, read: due.length };
  }

  function dueAt(now: string): Held[] {
    if (failedAt !== null && Date.parse(now) - Date.parse(failedAt) < Math.min(AGAIN_MS, readMs)) return [];
    const all = governed();
    const age = allReadAt === null ? Number.POSITIVE_INFINITY : Date.parse(now) - Date.parse(allReadAt);
    if (age >= readMs || (isHurried && age >= Math.min(HURRY_MS, readMs))) return all;
    return all.filter((own) => !own.wasRead || isBelow(own) || isAskedFor(own, now));
  }

  function isAskedFor({ isAsked, state: { readAt } }: Held, now: string): boolean {
    return isAsked && (readAt === null || Date.parse(now) - Date.parse(readAt) >= Math.min(HURRY_MS, readMs));
  }

  /** What left since the reading has brought it below a limit that it stood above. */
  function isBelow(own: Held): boolean {
    const { state } = own;
    if (state.balance === null) return false;
    const left = leftOf(own);
    if (left === 0n) return false;
    const balance = BigInt(state.balance) - left;
    const status = statusOf(state.status, balance < 0n ? 0n : balance, limits);
    return status !== state.status;
  }

  /** What left since the reading. */
  const leftOf = ({ state: { address, block }, offset }: Held): bigint =>
    block === null ? 0n : leftBetween(flows, address, block, null) + offset;

  /** Takes a wallet's reading in; answers whether USDC came in, or left unseen, so that it is worth a write. */
  function take(own: Held, reading: BalanceReading, began: number, now: string): boolean {
    const { state, base } = own;
    const found = reading.wallets.get(state.address) ?? { balance: null, blacklisted: null };
    // A reorg came while it was read, or the cursor went back: what is heard from now on is no whole story yet.
    const isWhole =
      began === epoch && reading.block >= reorgedTo && (state.block === null || reading.block >= state.block);
    const isSameChain = isWhole && base !== null && reading.hashes.get(base.block) === base.hash;
    const left = isSameChain ? leftBetween(flows, state.address, base.block, reading.block) : null;
    const hash = reading.hashes.get(reading.block);
    own.state = withReading(state, { block: reading.block, now, reading: found, paused: reading.paused, left }, limits);
    own.base = isWhole && hash !== undefined && found.balance !== null ? { block: reading.block, hash } : null;
    own.offset = 0n;
    own.wasRead = true;
    own.isAsked = false;
    if (isWhole) settleFlows(flows, state.address, reading.block);
    if (found.balance === null) return false;
    if (state.balance === null) return true;
    const expected = BigInt(state.balance) - (left ?? 0n);
    return found.balance > expected || shortfall(state, found.balance, left) !== null;
  }

  function movedBy(own: Held, now: string): MovedWallet[] {
    const { state, written, isGoverned } = own;
    if (!isGoverned || state.readAt === null) return [];
    const before =
      written === null
        ? null
        : { status: written.status, ...(written.blocked === null ? {} : { blocked: written.blocked }) };
    return [{ wallet: shownWallet(state, chainId, leftOf(own), now), before }];
  }

  /** Moves the alerts of all that is untold, and notes that they are told. */
  async function tell(now: string): Promise<Alert[]> {
    const untold = [...held.values()].flatMap((own) => {
      const found = untoldOf(own.state, own.isGoverned, telling, now);
      return found === null ? [] : [{ own, ...found }];
    });
    if (untold.length === 0) return [];
    const alerts = await raiseAlerts(
      store,
      untold.flatMap(({ open }) => open),
      now,
    );
    for (const { id, text } of untold.flatMap(({ ended }) => ended)) {
      const alert = await resolveAlert(store, id, text, now);
      if (alert !== null) alerts.push(alert);
    }
    for (const { own, told } of untold) own.state = told(own.state);
    await shelf.write(
      untold.map(({ own }) => own),
      now,
    );
    return alerts;
  }

  /** The alert is its own memory: in each process it is moved once for what is found first. */
  async function tellPaused(isPaused: boolean | null, now: string): Promise<Alert[]> {
    if (isPaused === null || isPaused === paused) return [];
    const ended = isPaused ? null : await resolveAlert(store, pausedAlertId(asset), unpausedText(asset), now);
    const alerts = isPaused ? await raiseAlerts(store, [pausedCause(asset, governed().length)], now) : [];
    paused = isPaused;
    return ended === null ? alerts : [ended];
  }

  function figures(now: string): ReadonlyMap<string, Wallet> {
    const wallets = governed().filter(({ state }) => state.readAt !== null);
    return new Map(wallets.map((own) => [own.state.address, shownWallet(own.state, chainId, leftOf(own), now)]));
  }

  return { heard, round, figures };
}

/** With an outflow that was heard of, in the place of the same one in a block that is gone. */
function spent(state: WalletState, { amount, block, at }: Outflow, before: Outflow | null, now: string): WalletState {
  const burn = before === null ? state.burn : unburnt(state.burn, before, now);
  return explained({ ...state, burn: burnt(burn, amount, at, now) }, block, amount, before?.block ?? null);
}

/** What of an outflow the wallet's reading holds, by its block. */
const inReading = ({ state }: Held, { block, amount }: Outflow): bigint =>
  state.block !== null && block <= state.block ? amount : 0n;

const unburnt = (burn: Burn, { amount, at }: Outflow, now: string): Burn => burnt(burn, -amount, at, now);

function earlierBlocks(due: readonly Held[]): readonly number[] {
  const blocks = new Set(due.flatMap(({ base }) => (base === null ? [] : [base.block])));
  return [...blocks].sort((a, b) => b - a).slice(0, EARLIER_MAX);
}
