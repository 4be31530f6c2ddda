/** How a payment stands in the table: the fold's parts, what its books have applied, and its last assessment. */
import type { Assessment } from "./assess.ts";
import type { Effects } from "./effects.ts";
import { dueEntry, listEntry, paymentKey } from "./items.ts";
import type { Folded, Siblings, Slots } from "./payment.ts";
import type { Json, Stored, VersionedPut } from "./ports.ts";

/** A payment with the version under which it was read; version null where the table had none. */
export interface Loaded {
  readonly payment: Folded;
  readonly applied: Effects;
  /** The assessment when it was last written: it may be late by a deadline, never by a fact. */
  readonly assessed: Pick<Assessment, "state" | "verdict" | "breaks" | "due"> | null;
  /** The partition of the list that it stands in; null where it stands in none. */
  readonly listed: string | null;
  readonly version: number | null;
}

export function load(id: string, stored: Stored | undefined): Loaded {
  if (stored === undefined)
    return {
      payment: { id, own: {}, context: {}, siblings: {} },
      applied: {},
      assessed: null,
      listed: null,
      version: null,
    };
  const data = stored.data as unknown as Data;
  const applied = Object.fromEntries(
    Object.entries(data.applied ?? {}).map(([counter, amount]) => [counter, BigInt(amount)]),
  );
  return {
    payment: { id, own: data.own ?? {}, context: data.context ?? {}, siblings: data.siblings ?? {} },
    applied,
    assessed: data.assessed ?? null,
    listed: stored.index?.list?.partition ?? null,
    version: stored.version,
  };
}

export function save(
  payment: Folded,
  applied: Effects,
  assessed: Assessment | null,
  agentIds: readonly string[] | null,
  expected: number | null,
): VersionedPut {
  const data: Data = {
    ...(size(payment.own) ? { own: payment.own } : {}),
    ...(size(payment.context) ? { context: payment.context } : {}),
    ...(size(payment.siblings) ? { siblings: payment.siblings } : {}),
    ...(size(applied)
      ? {
          applied: Object.fromEntries(Object.entries(applied).map(([counter, amount]) => [counter, amount.toString()])),
        }
      : {}),
    ...(assessed === null ? {} : { assessed }),
  };
  const index = {
    ...(agentIds === null ? {} : { list: listEntry(payment.id, agentIds) }),
    ...(assessed?.due ? { due: dueEntry(payment.id, assessed.due) } : {}),
  };
  return { ...paymentKey(payment.id), data: data as unknown as Json, ...(size(index) ? { index } : {}), expected };
}

interface Data {
  own?: Slots;
  context?: Slots;
  siblings?: Siblings;
  applied?: { [counter: string]: string };
  assessed?: Assessment;
}

const size = (record: object): boolean => Object.keys(record).length > 0;
