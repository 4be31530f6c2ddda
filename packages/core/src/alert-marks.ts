/**
 * Marks: which alerts a payment stands in, or ever stood in, kept with the payment like what its books have applied. The
 * commit that changes them moves the alerts' counters with them, so that a count is right under any redelivery, order,
 * crash and number of writers: every counter of an alert is the sum over the marks of all payments, always.
 */

import { displayUsd } from "@bursar/events/money";
import type { AlertSample } from "./alert-shape.ts";
import type { Cause } from "./alerts.ts";

/** How a payment is in an alert. */
export interface Mark {
  readonly stands: boolean;
  /** Atomic units of the watched USDC that it was about when it first stood; decimal. */
  readonly amount: string;
  /** When it first stood, ISO-8601. */
  readonly at: string;
}

/** Alert id -> mark. A mark is never taken away: its id's day is the one of the first sight, also after a healing. */
export type Marks = { readonly [alertId: string]: Mark };

/** Alerts that one payment can be in: more than there are rules. What is beyond is in none. */
const MARKS_MAX = 32;
const DAY = "/2026-11-20".length;

/** The marks of a payment that stands in `causes` at `now`; `before` itself where nothing changes. */
export function marksFor(before: Marks, causes: readonly Cause[], amount: bigint, now: string): Marks {
  const known = Object.keys(before);
  if (causes.length === 0 && known.length === 0) return before;
  const days = new Map(known.map((id) => [id.slice(0, -DAY), id]));
  const standing = new Set<string>();
  for (const { rule, subject } of causes) {
    const name = `${rule}/${subject}`;
    const id = days.get(name) ?? (days.size < MARKS_MAX ? `${name}/${now.slice(0, 10)}` : null);
    if (id === null) continue;
    days.set(name, id);
    standing.add(id);
  }
  let changed = false;
  const after: { [alertId: string]: Mark } = {};
  for (const id of days.values()) {
    const mark = before[id] ?? { stands: false, amount: amount.toString(), at: now };
    const stands = standing.has(id);
    after[id] = mark.stands === stands ? mark : { ...mark, stands };
    changed ||= before[id]?.stands !== stands;
  }
  return changed ? after : before;
}

/** What a change of marks moves on the alerts' counters, by counter. */
export function markMoves(before: Marks, after: Marks): (readonly [string, bigint])[] {
  if (before === after) return [];
  const moves: (readonly [string, bigint])[] = [];
  const add = (counter: string, amount: bigint): void => {
    if (amount !== 0n) moves.push([counter, amount]);
  };
  for (const [id, mark] of Object.entries(after)) {
    const known = before[id];
    if (known === undefined) {
      add(alertCounter(id, "seen"), 1n);
      add(alertCounter(id, "sum"), BigInt(mark.amount));
    }
    add(alertCounter(id, "over"), BigInt(!mark.stands) - BigInt(known !== undefined && !known.stands));
  }
  return moves;
}

/** Of an alert: payments that ever stood in it, those that do so no more, and what all of them are about. */
export type AlertCounter = "seen" | "over" | "sum";

export const alertCounter = (id: string, which: AlertCounter): string => `alert|${which}|${id}`;

/** Alerts that payments are in, or were in, each with payments that stand in it, for samples. */
export type Touched = Map<string, { samples: AlertSample[]; agentId: string | null }>;

/** Samples that an alert keeps. */
export const SAMPLES_MAX = 10;

/** Notes the alerts of one payment; `listed` is the partition of the list that it stands in. */
export function touch(
  touched: Touched,
  payment: { readonly id: string; readonly marks: Marks; readonly listed: string | null },
): void {
  for (const [id, { stands, at, amount }] of Object.entries(payment.marks)) {
    const known = touched.get(id) ?? { samples: [], agentId: null };
    touched.set(id, known);
    if (!stands) continue;
    const isOne = payment.listed !== null && payment.listed !== "-" && payment.listed !== "*";
    known.agentId ??= isOne ? payment.listed : null;
    if (known.samples.length >= SAMPLES_MAX || known.samples.some(({ paymentId }) => paymentId === payment.id))
      continue;
    known.samples.push({ at, text: displayUsd(BigInt(amount)), paymentId: payment.id });
  }
}

/** The alerts of payments that were written. */
export function touchedBy(
  changed: Iterable<{ readonly id: string; readonly after: { readonly marks: Marks; readonly listed: string | null } }>,
): Touched {
  const touched: Touched = new Map();
  for (const { id, after } of changed) touch(touched, { ...after, id });
  return touched;
}

/** What stands in an item: small, since every payment with a break carries it. */
export type KeptMarks = { readonly [alertId: string]: readonly [stands: 0 | 1, amount: string, at: string] };

export function keptMarks(marks: Marks): KeptMarks {
  return Object.fromEntries(
    Object.entries(marks).map(([id, { stands, amount, at }]) => [id, [stands ? 1 : 0, amount, at]]),
  );
}

export function marksOf(kept: KeptMarks | undefined): Marks {
  if (kept === undefined) return NO_MARKS;
  return Object.fromEntries(
    Object.entries(kept).map(([id, [stands, amount, at]]) => [id, { stands: stands === 1, amount, at }]),
  );
}

export const NO_MARKS: Marks = {};
