/** How a payment stands in the table: the fold's parts, what its books have applied, and its last assessment. */
import { type KeptMarks, keptMarks, type Marks, marksOf, NO_MARKS } from "./alert-marks.ts";
import type { Assessment } from "./assess.ts";
import type { Effects } from "./effects.ts";
import { dueEntry, listEntry, paymentKey } from "./items.ts";
import type { Folded, Siblings, Slots } from "./payment.ts";
import type { Json, Stored, VersionedPut } from "./ports.ts";

/** A payment with the version under which it was read; version null where the table had none. */
export interface Loaded {
  readonly payment: Folded;
  readonly applied: Effects;
  /** The alerts that it stands in, or ever stood in. */
  readonly marks: Marks;
  /** The assessment when it was last written: it may be late by a deadline, never by a fact. */
  readonly assessed: Pick<Assessment, "state" | "verdict" | "breaks" | "due"> | null;
  /** The partition of the list that it stands in; null where it stands in none. */
  readonly listed: string | null;
  /** The edition of the budgets that it was booked under last. */
  readonly edition: number;
  readonly version: number | null;
}

export function load(id: string, stored: Stored | undefined): Loaded {
  if (stored === undefined)
    return {
      payment: { id, own: {}, context: {}, siblings: {} },
      applied: {},
      marks: NO_MARKS,
      assessed: null,
      listed: null,
      edition: 0,
      version: null,
    };
  const data = stored.data as unknown as Data;
  const applied = Object.fromEntries(
    Object.entries(data.applied ?? {}).map(([counter, amount]) => [counter, BigInt(amount)]),
  );
  return {
    payment: { id, own: data.own ?? {}, context: data.context ?? {}, siblings: data.siblings ?? {} },
    applied,
    marks: marksOf(data.alerts),
    assessed: data.assessed ?? null,
    listed: stored.index?.list?.partition ?? null,
    edition: data.edition ?? 0,
    version: stored.version,
  };
}

export function save(
  payment: Folded,
  applied: Effects,
  marks: Marks,
  assessed: Assessment | null,
  agentIds: readonly string[] | null,
  edition: number,
  expected: number | null,
): VersionedPut {
  const data: Data = {
    ...(size(payment.own) ? { own: payment.own } : {}),
    ...(size(payment.context) ? { context: payment.context } : {}),
    ...(size(payment.siblings) ? { siblings: payment.siblings } : {}),
    ...(size(applied) ? { applied: textsOf(applied) } : {}),
    ...(size(marks) ? { alerts: keptMarks(marks) } : {}),
    ...(assessed === null ? {} : { assessed }),
    ...(edition === 0 ? {} : { edition }),
  };
  const index = {
    ...(agentIds === null ? {} : { list: listEntry(payment.id, agentIds) }),
    ...(assessed?.due ? { due: dueEntry(payment.id, assessed.due) } : {}),
  };
  return { ...paymentKey(payment.id), data: data as unknown as Json, ...(size(index) ? { index } : {}), expected };
}

/** The same put with other books. */
export function withApplied(put: VersionedPut, applied: Effects): VersionedPut {
  return { ...put, data: { ...(put.data as object), applied: textsOf(applied) } as unknown as Json };
}

/** The same put as one that is to be folded again: due at once, and of no edition of the budgets. */
export function unfinished(put: VersionedPut, id: string, now: string): VersionedPut {
  const { edition: _, ...data } = put.data as { edition?: number };
  return { ...put, data: data as unknown as Json, index: { ...put.index, due: dueEntry(id, now) } };
}

function textsOf(applied: Effects): { [counter: string]: string } {
  return Object.fromEntries(Object.entries(applied).map(([counter, amount]) => [counter, amount.toString()]));
}

interface Data {
  own?: Slots;
  context?: Slots;
  siblings?: Siblings;
  applied?: { [counter: string]: string };
  alerts?: KeptMarks;
  assessed?: Assessment;
  edition?: number;
}

const size = (record: object): boolean => Object.keys(record).length > 0;
