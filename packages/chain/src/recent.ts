/** Compares what a pass found with what was handed on before: what is new, and what is gone from the chain. Pure. */
import type { EventOf } from "@bursar/events/contract";
import type { Recent } from "./cursor.ts";
import { type Fact, paymentOf } from "./scan.ts";

export interface Difference {
  /** Found, and not surely handed on before. */
  readonly fresh: readonly Fact[];
  /** Handed on before, and not in the range any more. */
  readonly gone: readonly Recent[];
}

/**
 * `range` is what the pass has read: only what was handed on from these blocks and these wallets can be gone.
 */
export function compare(
  recent: readonly Recent[],
  facts: readonly Fact[],
  range: { readonly fromBlock: number; readonly toBlock: number; readonly wallets: ReadonlySet<string> },
): Difference {
  const sure = new Set(recent.filter((each) => each.sure).map(logKey));
  const found = new Set(facts.map(logKey));
  return {
    fresh: facts.filter((fact) => !sure.has(logKey(fact))),
    gone: recent.filter(
      (each) =>
        each.blockNumber >= range.fromBlock &&
        each.blockNumber <= range.toBlock &&
        range.wallets.has(each.payer) &&
        !found.has(logKey(each)),
    ),
  };
}

/** `recent` with these facts, `sure` or not yet. */
export function withFacts(recent: readonly Recent[], facts: readonly Fact[], sure: boolean): readonly Recent[] {
  const added = new Set(facts.map(logKey));
  return [...recent.filter((each) => !added.has(logKey(each))), ...facts.map((fact) => recentOf(fact, sure))];
}

/** `recent` without these. */
export function without(recent: readonly Recent[], gone: readonly Recent[]): readonly Recent[] {
  const keys = new Set(gone.map(logKey));
  return recent.filter((each) => !keys.has(logKey(each)));
}

/** The event that takes a movement back; `at` is when that was found. */
export function orphanedEvent(
  gone: Recent,
  { chainId, asset, seq, at }: { chainId: number; asset: string; seq: number; at: string },
): EventOf<"chain.orphaned"> {
  const { nonce, payer, txHash, logIndex, blockHash } = gone;
  const payment =
    nonce === null
      ? { method: "transfer" as const, chainId, txHash, logIndex }
      : { method: "eip3009" as const, chainId, asset, payer, nonce };
  const id = `orphaned:${chainId}:${blockHash}:${logIndex}`;
  return { type: "chain.orphaned", id, at, payment, txHash, logIndex, blockHash, seq };
}

function recentOf(fact: Fact, sure: boolean): Recent {
  const payment = paymentOf(fact);
  const nonce = payment.method === "eip3009" ? payment.nonce : null;
  const payer = fact.type === "chain.settled" ? fact.payment : fact;
  const { txHash, logIndex, blockNumber, blockHash } = fact;
  return { nonce, payer: "payer" in payer ? payer.payer : "", txHash, logIndex, blockNumber, blockHash, sure };
}

/** One log in one block: the same log in another block is another. */
function logKey({ blockHash, logIndex }: { readonly blockHash: string; readonly logIndex: number }): string {
  return `${blockHash}:${logIndex}`;
}
