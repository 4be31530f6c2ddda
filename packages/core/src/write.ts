/** What one payment writes: itself under its version, its places in the indexes, and how it moves the books. */
import { type Marks, markMoves, marksFor } from "./alert-marks.ts";
import { paymentCauses } from "./alerts.ts";
import { type Assessment, assess, type Findings, find, type World } from "./assess.ts";
import { isSuperseded } from "./delivery.ts";
import { type Counted, type Effects, effectsOf, sessionsOf } from "./effects.ts";
import { fit } from "./fit.ts";
import { bookNotes } from "./known-books.ts";
import { agentNote, emptyNotes, type Note, type Notes, note } from "./notes.ts";
import { type Folded, isNamed } from "./payment.ts";
import type { Store, VersionedPut } from "./ports.ts";
import { type Loaded, save } from "./record.ts";
import { assessRow, isRow, makesRow, showRow } from "./rows.ts";

/** What every run of the step needs beside the facts. */
export interface CorrelateWorld extends World {
  readonly counted: Counted;
  /** Of the budgets that `counted` is of; 0 or absent where they never change, as in a replay. */
  readonly edition?: number;
  /** What this process has noted of the books; without it nothing is noted, as in a replay, whose books nobody asks later. */
  readonly notes?: Notes;
}

/** One payment that the run has written. */
export interface Changed {
  readonly id: string;
  readonly before: Loaded;
  readonly after: Loaded;
  /** Null for a row without payment. */
  readonly findings: Findings | null;
}

/** One payment on its way into the table, with what it moves on the counters. */
export interface Write {
  readonly put: VersionedPut;
  readonly deltas: readonly (readonly [string, bigint])[];
  /** What it moves on the alerts' counters. */
  readonly moves: readonly (readonly [string, bigint])[];
  readonly change: Changed;
}

/** The write that brings the table to `payment`; null where nothing changed. */
export function writeOf(whole: Folded, before: Loaded, world: CorrelateWorld, now: string): Write | null {
  const payment = whole === before.payment ? whole : fit(whole, world.directory);
  if (isRow(payment.id)) return rowWrite(payment, before, world, now);
  if (!isNamed(payment)) {
    if (payment === before.payment) return null;
    // Only an alias names it yet. The write keeps its first writer from overlooking what it holds.
    const put = save(payment, before.applied, before.marks, null, null, before.edition, before.version);
    const after = afterOf(payment, {}, before.marks, null, put, before);
    return { put, deltas: [], moves: [], change: { id: payment.id, before, after, findings: null } };
  }
  const findings = find(payment, world.directory);
  const effects = effectsOf(findings, world.directory, world.counted);
  const deltas = difference(effects, before.applied);
  if (payment === before.payment && deltas.length === 0) return null;
  const assessed = assess(findings, now, world);
  const listed = isSuperseded(payment) ? null : findings.evidence.owners;
  const marks = marksAt(assessed.breaks, findings, listed !== null, before, world, now);
  const put = save(payment, effects, marks, assessed, listed, world.edition ?? 0, before.version);
  const after = afterOf(payment, effects, marks, assessed, put, before);
  const moves = markMoves(before.marks, marks);
  return { put, deltas, moves, change: { id: payment.id, before, after, findings } };
}

/** The alerts that a payment stands in; one that is in no list stands in none. A replay tells at its end. */
function marksAt(
  breaks: Assessment["breaks"],
  findings: Findings,
  isListed: boolean,
  { marks }: Loaded,
  world: CorrelateWorld,
  now: string,
): Marks {
  if (world.notes === undefined) return marks;
  const { payment, evidence, claims } = findings;
  const { settlement, key, owners, payer, apiId } = evidence;
  const standing = { id: payment.id, breaks, payer, apiId, agentId: owners[0] ?? null };
  const causes = isListed ? paymentCauses(standing, findings, world.directory) : [];
  const asset = key?.method === "eip3009" ? key.asset : settlement?.asset;
  const isWatched = key?.chainId === world.directory.chainId && asset === world.directory.asset;
  const amount = isWatched ? BigInt(settlement?.amount ?? claims.largest?.amount ?? 0) : 0n;
  return marksFor(marks, causes, amount, now);
}

/** What must be found later by who asks for lists and judges budgets: durable before the payments that it leads to. */
export async function noteWrites(
  store: Store,
  world: CorrelateWorld,
  writes: readonly Write[],
  now: string,
): Promise<void> {
  const notes: Note[] = [];
  for (const write of writes) {
    notes.push(...newAgent(write, world.directory));
    if (world.notes === undefined) continue;
    const { before, after, findings } = write.change;
    notes.push(...bookNotes(before.applied, after.applied, findings === null ? [] : sessionsOf(findings), now));
  }
  if (notes.length > 0) await note(store, world.notes ?? emptyNotes(), notes);
}

/** Agents that the config does not name are noted, so that lists find their payments. */
function newAgent({ put, change }: Write, directory: World["directory"]): Note[] {
  const agent = put.index?.list?.partition;
  const isNew = agent !== undefined && agent !== change.before.listed && !directory.labels.has(agent);
  return isNew && agent !== "-" && agent !== "*" ? [agentNote(agent)] : [];
}

function rowWrite(row: Folded, before: Loaded, world: CorrelateWorld, now: string): Write | null {
  const tied = Object.keys(row.siblings).length > 0;
  if (row === before.payment || !makesRow(row) || (tied && before.version === null)) return null;
  const assessed = tied ? null : assessRow(row, now, world);
  const causes =
    assessed === null || assessed.breaks.length === 0
      ? []
      : paymentCauses(showRow(row, assessed, world.directory), null, world.directory);
  const marks = world.notes === undefined ? before.marks : marksFor(before.marks, causes, 0n, now);
  const put = save(row, {}, marks, assessed, tied ? null : reporters(row), 0, before.version);
  const after = afterOf(row, {}, marks, assessed, put, before);
  const moves = markMoves(before.marks, marks);
  return { put, deltas: [], moves, change: { id: row.id, before, after, findings: null } };
}

function afterOf(
  payment: Folded,
  applied: Effects,
  marks: Marks,
  assessed: Loaded["assessed"],
  put: VersionedPut,
  before: Loaded,
): Loaded {
  const { edition = 0 } = put.data as { edition?: number };
  return {
    payment,
    applied,
    marks,
    assessed,
    listed: put.index?.list?.partition ?? null,
    edition,
    version: (before.version ?? 0) + 1,
  };
}

function reporters(row: Folded): readonly string[] {
  const agents = Object.keys(row.context).filter((group) => group.includes("|agent:"));
  return [...new Set(agents.map((group) => group.slice(group.indexOf("|agent:") + 7)))].sort().slice(0, 1);
}

/** effects(after) - applied, counter by counter, without zeros; what is given back first: nothing ever counts twice. */
export function difference(effects: Effects, applied: Effects): (readonly [string, bigint])[] {
  const deltas: (readonly [string, bigint])[] = [];
  for (const counter of new Set([...Object.keys(applied), ...Object.keys(effects)])) {
    const delta = (effects[counter] ?? 0n) - (applied[counter] ?? 0n);
    if (delta !== 0n) deltas.push([counter, delta]);
  }
  deltas.sort(([, a], [, b]) => Number(a > 0n) - Number(b > 0n));
  return deltas;
}
