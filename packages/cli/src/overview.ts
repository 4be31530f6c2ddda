/**
 * What is asked for often and no key leads to: totals, wallets seen, and payments that are not
 * final yet. Built from the list in the background at start, kept up to date by every change. It is a cache: the table
 * has it all.
 */
import type { Findings, Heads } from "@bursar/core/assess";
import { validBeforeOf } from "@bursar/core/claims";
import { paymentKey } from "@bursar/core/items";
import { eachPayment } from "@bursar/core/lists";
import type { Store } from "@bursar/core/ports";
import { type Loaded, load } from "@bursar/core/record";
import { isRow } from "@bursar/core/rows";
import type { Changed, CorrelateWorld } from "@bursar/core/write";
import type { Payment, Verdict } from "@bursar/events/shapes";

/** Entries of each kind that are held; what is beyond is in the table only. */
const HELD_MAX = 100_000;

export interface Totals {
  readonly payments: number;
  readonly matched: number;
  readonly pending: number;
  readonly breaks: number;
}

export interface SeenWallet {
  readonly agentIds: readonly string[];
  /** The earliest claim on a payment of it, ISO-8601. */
  readonly since: string;
}

/** Unsettled, so that only the chain can close it. */
export interface OpenPayment {
  readonly validBefore: string | null;
  readonly hashes: readonly { readonly txHash: string; readonly at: string }[];
}

export interface Overview {
  /** Takes a change in. `payment` is null when it is in no list any more. */
  take(change: Changed, payment: Payment | null, at: string): void;
  /** Reads the whole list once; changes may go on meanwhile. */
  scan(store: Store, world: CorrelateWorld, now: string, stop: AbortSignal): Promise<void>;
  /** Ids whose finality the heads have moved. */
  moveHeads(chainId: number, heads: Heads): readonly string[];
  totals(): Totals;
  wallets(): ReadonlyMap<string, SeenWallet>;
  open(): ReadonlyMap<string, OpenPayment>;
}

interface Rising {
  readonly chainId: number;
  readonly blockNumber: number;
  step: 0 | 1;
}

/** `directory` as it stands: AgentCore may name wallets that it did not know at the start. */
export function createOverview(directory: () => CorrelateWorld["directory"]): Overview {
  const verdicts: Record<Verdict, number> = { matched: 0, pending: 0, break: 0 };
  const wallets = new Map<string, SeenWallet>();
  const rising = new Map<string, Rising>();
  const open = new Map<string, OpenPayment>();
  /** Of payments that changed before the scan came to them; null when no scan runs. */
  let touched: Set<string> | null = null;
  let position = "";

  function look(id: string, loaded: Loaded, findings: Findings | null, payment: Payment | null, since: string): void {
    if (loaded.assessed !== null && isListed(id, loaded)) verdicts[loaded.assessed.verdict] += 1;
    if (findings === null || payment === null) return;
    const { evidence, claims, state, reverted } = findings;
    const { payer, owners, settlement, key } = evidence;
    if (payer !== null && owners.length > 0 && !directory().walletOwner.has(payer)) {
      const first = claims.firstAt ?? since;
      const before = wallets.get(payer)?.since ?? first;
      hold(wallets, payer, { agentIds: owners, since: first < before ? first : before });
    }
    if (settlement !== null && key !== null && payment.state !== "final") {
      const { blockNumber } = settlement;
      hold(rising, id, { chainId: key.chainId, blockNumber, step: payment.state === "safe" ? 1 : 0 });
    } else rising.delete(id);
    if (state === "signed" || state === "submitted") {
      hold(open, id, {
        validBefore: validBeforeOf(evidence),
        hashes: claims.hashes.filter(({ txHash }) => !reverted.includes(txHash)),
      });
    } else open.delete(id);
  }

  return {
    take(change, payment, at) {
      const { id, before, after, findings } = change;
      const known = touched === null || id <= position || touched.has(id);
      if (!known) touched?.add(id);
      if (known && before.assessed !== null && isListed(id, before)) verdicts[before.assessed.verdict] -= 1;
      look(id, after, findings, payment, at);
    },
    async scan(store, world, now, stop) {
      touched = new Set();
      position = "";
      for await (const { payment, findings } of eachPayment(store, world, now, null, null)) {
        if (stop.aborted) return;
        const { id } = payment;
        const [stored] = await store.get([paymentKey(id)]);
        // The stored verdict, not the one of this moment: the sweep will tell the change from there.
        if (!touched.has(id)) look(id, load(id, stored), findings, payment, payment.timeline.at(-1)?.at ?? now);
        position = id;
      }
      touched = null;
    },
    moveHeads(chainId, heads) {
      const moved: string[] = [];
      for (const [id, payment] of rising) {
        if (payment.chainId !== chainId) continue;
        if (payment.blockNumber <= heads.final) rising.delete(id);
        else if (payment.blockNumber <= heads.safe && payment.step === 0) payment.step = 1;
        else continue;
        moved.push(id);
      }
      return moved;
    },
    totals: () => ({
      payments: verdicts.matched + verdicts.pending + verdicts.break,
      matched: verdicts.matched,
      pending: verdicts.pending,
      breaks: verdicts.break,
    }),
    wallets: () => wallets,
    open: () => open,
  };
}

/** Whether a record stands in the list: a row that a payment has taken the place of, and a superseded one, do not. */
function isListed(id: string, loaded: Loaded): boolean {
  return loaded.listed !== null && (isRow(id) || Object.keys(loaded.payment.own).length > 0);
}

function hold<T>(map: Map<string, T>, key: string, value: T): void {
  if (map.size < HELD_MAX || map.has(key)) map.set(key, value);
}
