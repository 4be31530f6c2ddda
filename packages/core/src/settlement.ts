/**
 * Settlement is a register, because blocks come and go: per log the highest `seq` wins, on a tie orphaned wins, and an
 * orphaning without `seq` takes back the settlements of its own block only. Of several live logs the highest
 * (seq, blockNumber, logIndex) is the settlement.
 */
import { DROPPED, type Slots } from "./payment.ts";
import { compareStamped, type Stamped, valuesOf } from "./slot.ts";

export interface Settlement {
  readonly txHash: string;
  readonly logIndex: number;
  readonly blockNumber: number;
  readonly blockHash: string;
  readonly payee: string;
  readonly amount: string;
  /** Of a transfer; an authorization's asset stands in its key. */
  readonly asset?: string;
  readonly seq: number;
  /** The block's time. */
  readonly at: string;
}

/** The settlement that stands, among the chain's facts of one payment; null where none does. */
export function settlementOf(slots: Slots): Settlement | null {
  let best: Settlement | null = null;
  for (const live of liveLogs(slots)) if (best === null || above(live, best)) best = live;
  return best;
}

/** Every log that stands: several, where one payment is named by more than one. */
export function liveLogs(slots: Slots): Settlement[] {
  const found: Settlement[] = [];
  const orphaned = slots["chain.orphaned|chain"];
  for (const group of ["chain.settled|chain", "chain.transferred|chain"]) {
    const logs = slots[group];
    if (logs === undefined) continue;
    for (const key of Object.keys(logs)) {
      const slot = logs[key];
      if (slot === undefined || key === DROPPED) continue;
      const gone = orphaned?.[key];
      const live = liveOf(valuesOf(slot), gone === undefined ? [] : valuesOf(gone));
      if (live !== null) found.push(live);
    }
  }
  return found;
}

function liveOf(settled: readonly Stamped[], orphaned: readonly Stamped[]): Settlement | null {
  const taken = new Set<string>();
  let orphanedAt = -1;
  for (const { value } of orphaned) {
    if (value.seq === undefined) taken.add(value.blockHash as string);
    else orphanedAt = Math.max(orphanedAt, value.seq as number);
  }
  const rest = settled.filter((stamped) => !taken.has(stamped.value.blockHash as string));
  const top = Math.max(...rest.map(seqOf));
  if (orphanedAt >= top) return null;
  const live = rest
    .filter((stamped) => seqOf(stamped) === top)
    .sort((a, b) => blockOf(a) - blockOf(b) || compareStamped(a, b));
  const last = live[live.length - 1];
  return last === undefined ? null : ({ ...last.value, seq: top, at: last.at } as unknown as Settlement);
}

function above(a: Settlement, b: Settlement): boolean {
  if (a.seq !== b.seq) return a.seq > b.seq;
  if (a.blockNumber !== b.blockNumber) return a.blockNumber > b.blockNumber;
  if (a.logIndex !== b.logIndex) return a.logIndex > b.logIndex;
  return a.txHash > b.txHash;
}

const seqOf = (stamped: Stamped): number => (stamped.value.seq as number | undefined) ?? 0;
const blockOf = (stamped: Stamped): number => stamped.value.blockNumber as number;
