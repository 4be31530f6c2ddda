/**
 * The life of an alert, pure: what is kept and what is seen in, what is kept then and what people are told out. It opens,
 * escalates at 10, 100, 1,000, ... occurrences, is acknowledged, resolves, is opened again; one message for each change.
 *
 * An acknowledgement holds until the alert changes: more of the same below the next power of ten does not, an escalation
 * and a reopening do. What flaps tells no flood: it is opened, resolved and opened again with a message each; when that
 * reopening came within 10 minutes of the resolution, neither is told for 10 minutes more, and at their end only how it
 * stands then, where that is news. Each time that goes on the 10 minutes double, to 160 at most. While an alert is kept
 * quiet nothing is told either, and at the end of that likewise how it stands.
 *
 * Judging the same again changes nothing: everything is a level, and what was told stands in the alert.
 */
import type { Severity } from "@bursar/events/shapes";
import type { AlertChange, AlertSample, KeptAlert } from "./alert-shape.ts";

/**
 * What an alert's count is of:
 * - `payments` that stood in it, by their marks: it stands while one of them does
 * - `events` that belong to it, each once: it stands until it is ended, or its time is over
 * - `openings` of a condition: it stands until it is ended, or its time is over
 */
export type Counting = "payments" | "events" | "openings";

/** What was found about an alert's cause. */
export interface Seen {
  readonly stands: boolean;
  /** How often it ever came about; of `openings` nobody counts but the alert itself. */
  readonly count: number;
  readonly standing?: number;
  readonly severity: Severity;
  readonly agentId: string | null;
  readonly amount: string | null;
  readonly samples: readonly AlertSample[];
  /** In words, while it stands. */
  readonly text: string;
  /** In words, when it is over. */
  readonly overText?: string;
  /** When it came about, ISO-8601. */
  readonly at: string;
  readonly until: string | null;
}

/** The alert's name, and how it counts. */
export interface AlertName {
  readonly id: string;
  readonly rule: string;
  readonly subject: string;
  readonly counting: Counting;
}

/** An alert as the table has it: with what people were told of it last. */
export interface AlertRecord extends KeptAlert {
  readonly counting: Counting;
  /** Null where nobody was ever told of it. */
  readonly told: { readonly isOver: boolean; readonly step: number; readonly at: string } | null;
  /** The key of the message that was written last, null where there is none. */
  readonly message: string | null;
  /** Reopenings in a row that came soon after a resolution. */
  readonly flaps: number;
  /** Until when neither a resolution nor a reopening is told. */
  readonly steadyAt: string | null;
  /** When time alone may change something of it, or of what is told; null: never. */
  readonly lookAt: string | null;
}

/** How the rule and the humans want it. */
export interface Manner {
  /** Of the config; null: as the rule, or who found it, says. */
  readonly severity: Severity | null;
  readonly tell: boolean;
  readonly tellEnd: boolean;
  /** Until when it is kept quiet; null where it is not. */
  readonly quietUntil: string | null;
}

export interface Next {
  /** Null where there is no alert, and none comes about. */
  readonly kept: AlertRecord | null;
  /** What became of it; null where it goes on as it was. */
  readonly change: AlertChange | null;
  /** What people are to be told now. */
  readonly told: AlertChange | null;
}

export const FLAP_MS = 600_000;
/** How often that doubles. */
const DOUBLINGS_MAX = 4;
const SAMPLES_MAX = 10;

/** `seen` null: nobody has looked, only time goes on. */
export function nextAlert(
  name: AlertName,
  kept: AlertRecord | null,
  seen: Seen | null,
  now: string,
  manner: Manner,
): Next {
  const { kept: evolved, change } = evolve(name, kept, seen, now, manner);
  if (evolved === null) return { kept: null, change: null, told: null };
  const { kept: after, told } = telling(evolved, change, now, manner);
  return { kept: kept !== null && isSame(kept, after) ? kept : after, change, told };
}

/** Notes that a human has seen it. Null where it is over. */
export function acknowledged(kept: AlertRecord, note: string | null, now: string, manner: Manner): Next | null {
  if (kept.status === "resolved") return null;
  if (kept.status === "acknowledged") return { kept, change: null, told: null };
  const seen: AlertRecord = { ...kept, status: "acknowledged", updatedAt: now, acknowledged: { at: now, note } };
  const { kept: after, told } = telling(seen, "acknowledged", now, manner);
  return { kept: after, change: "acknowledged", told };
}

/** The power of ten that a count has reached: 0 from 1, 1 from 10, 2 from 100. */
export const stepOf = (count: number): number => Math.max(0, String(Math.trunc(count)).length - 1);

function evolve(
  name: AlertName,
  kept: AlertRecord | null,
  seen: Seen | null,
  now: string,
  manner: Manner,
): { kept: AlertRecord | null; change: AlertChange | null } {
  const isLive = seen?.stands === true && (seen.until === null || seen.until > now);
  if (kept === null)
    return isLive ? { kept: opened(name, seen, manner), change: "opened" } : { kept: null, change: null };
  if (kept.status === "resolved") {
    const isNews = kept.counting !== "events" || (seen?.count ?? 0) > kept.count;
    return isLive && isNews ? { kept: reopened(kept, seen, now, manner), change: "reopened" } : { kept, change: null };
  }
  const counted = kept.counting === "openings" ? kept : counts(kept, seen);
  const isPast = kept.until !== null && kept.until <= now;
  const goesOn = isLive && (kept.counting === "openings" || seen.count > kept.count);
  if ((isPast && !goesOn) || seen?.stands === false) {
    const text = seen?.overText ?? (isPast ? kept.text : `${wordsOf(kept)}: over`);
    const updatedAt = isPast ? (kept.until ?? now) : now;
    return { kept: { ...counted, status: "resolved", updatedAt, text }, change: "resolved" };
  }
  const standing = isPast && isLive ? { ...counted, until: seen.until } : counted;
  if (stepOf(counted.count) <= kept.step) return { kept: standing, change: null };
  const step = stepOf(counted.count);
  const text = seen?.text ?? kept.text;
  const after: AlertRecord = { ...standing, status: "open", step, text, updatedAt: now, acknowledged: null };
  return { kept: after, change: "escalated" };
}

function opened(name: AlertName, seen: Seen, { severity }: Manner): AlertRecord {
  const count = name.counting === "openings" ? 1 : seen.count;
  return {
    ...name,
    severity: severity ?? seen.severity,
    status: "open",
    count,
    ...(seen.standing === undefined ? {} : { standing: seen.standing }),
    openedAt: seen.at,
    updatedAt: seen.at,
    text: seen.text,
    samples: seen.samples.slice(0, SAMPLES_MAX),
    agentId: seen.agentId,
    amount: seen.amount,
    step: stepOf(count),
    reopened: 0,
    until: seen.until,
    acknowledged: null,
    quietUntil: null,
    told: null,
    message: null,
    flaps: 0,
    steadyAt: null,
    lookAt: null,
  };
}

function reopened(kept: AlertRecord, seen: Seen, now: string, manner: Manner): AlertRecord {
  const count = kept.counting === "openings" ? kept.count + 1 : seen.count;
  return {
    ...counts(kept, seen),
    severity: manner.severity ?? seen.severity,
    status: "open",
    count,
    openedAt: seen.at,
    updatedAt: now,
    text: seen.text,
    step: stepOf(count),
    reopened: kept.reopened + 1,
    until: seen.until,
    acknowledged: null,
  };
}

/** With what more was seen: samples up to ten, the count where somebody counts. */
function counts(kept: AlertRecord, seen: Seen | null): AlertRecord {
  if (seen === null) return kept;
  const nameOf = ({ paymentId, text }: AlertSample): string => paymentId ?? text;
  const known = new Set(kept.samples.map(nameOf));
  const more = seen.samples.filter((one) => !known.has(nameOf(one)));
  const samples =
    more.length === 0 || kept.samples.length >= SAMPLES_MAX
      ? kept.samples
      : [...kept.samples, ...more].slice(0, SAMPLES_MAX);
  return {
    ...kept,
    count: Math.max(seen.count, kept.count),
    ...(seen.standing === undefined ? {} : { standing: seen.standing }),
    amount: seen.amount ?? kept.amount,
    samples,
  };
}

/** What is told of a record now, and what later. */
function telling(
  record: AlertRecord,
  change: AlertChange | null,
  now: string,
  { tell, tellEnd, quietUntil }: Manner,
): { kept: AlertRecord; told: AlertChange | null } {
  const isOver = record.status === "resolved";
  const ends = isOver ? null : record.until;
  const news = tell ? newsOf(record, change) : null;
  const held = news === null ? null : heldUntil(record, news, now, quietUntil);
  if (news === null || held !== null)
    return {
      kept: { ...record, quietUntil, lookAt: earlier(ends, news === "acknowledged" ? null : held) },
      told: null,
    };
  const told = { isOver, step: record.step, at: now };
  if (news === "resolved" && !tellEnd) return { kept: { ...record, quietUntil, told, lookAt: ends }, told: null };
  if (news !== "reopened") return { kept: { ...record, quietUntil, told, lookAt: ends }, told: news };
  const since = Date.parse(now) - Date.parse(record.told?.at ?? now);
  const flaps = since < holdMs(record.flaps) ? record.flaps + 1 : 0;
  const steadyAt = flaps === 0 ? null : new Date(Date.parse(now) + holdMs(flaps)).toISOString();
  return { kept: { ...record, quietUntil, told, flaps, steadyAt, lookAt: ends }, told: news };
}

/** How a record differs from what people know of it. */
function newsOf({ status, step, told }: AlertRecord, change: AlertChange | null): AlertChange | null {
  const isOver = status === "resolved";
  if (told === null) {
    if (status === "acknowledged") return change === "acknowledged" ? change : null;
    return isOver ? null : "opened";
  }
  if (told.isOver !== isOver) return isOver ? "resolved" : "reopened";
  if (isOver) return null;
  if (change === "acknowledged") return "acknowledged";
  return status === "open" && step > told.step ? "escalated" : null;
}

/** Until when news has to wait; null where it is told now. */
function heldUntil(
  { steadyAt }: AlertRecord,
  news: AlertChange,
  now: string,
  quietUntil: string | null,
): string | null {
  const flaps = (news === "resolved" || news === "reopened") && steadyAt !== null && steadyAt > now ? steadyAt : null;
  if (quietUntil === null || quietUntil <= now) return flaps;
  return flaps === null || flaps < quietUntil ? quietUntil : flaps;
}

const holdMs = (flaps: number): number => FLAP_MS * 2 ** Math.min(DOUBLINGS_MAX, Math.max(0, flaps - 1));

function earlier(a: string | null, b: string | null): string | null {
  if (a === null || b === null) return a ?? b;
  return a < b ? a : b;
}

const wordsOf = ({ rule, subject }: AlertRecord): string => `${rule.replaceAll("_", " ")}: ${subject}`;

/** Whether nothing is worth a write: counts below the next power of ten are read from their counters. */
function isSame(a: AlertRecord, b: AlertRecord): boolean {
  return (
    a.status === b.status &&
    a.updatedAt === b.updatedAt &&
    a.reopened === b.reopened &&
    a.step === b.step &&
    a.until === b.until &&
    a.samples.length === b.samples.length &&
    a.lookAt === b.lookAt &&
    a.quietUntil === b.quietUntil &&
    a.told?.at === b.told?.at &&
    a.told?.isOver === b.told?.isOver
  );
}
