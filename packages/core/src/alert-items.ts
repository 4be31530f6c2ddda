/** How alerts, and what is to be told of them, lie in the table. */

import type { Alert } from "@bursar/events/shapes";
import type { AlertChange, AlertMove, KeptAlert } from "./alert-shape.ts";
import type { AlertRecord } from "./alert-state.ts";
import { fingerprint } from "./canonical.ts";
import type { IndexEntry, Json, Key, Stored, VersionedPut } from "./ports.ts";

/** Partitions of the list index, by when alerts were opened: those that stand, and those that are over. */
export const STANDING_LIST = "#alerts";
export const OVER_LIST = "#alerts-over";
/** Partition of the due index: alerts that time alone may change. */
export const LOOK_DUE = "alerts";
/** Partition of the due index: what is to be told. Apart from other actions, which wait for no mail server. */
export const TELL_DUE = "tell";

export const alertKey = (id: string): Key => ({ pk: `ALERT#${id}`, sk: "." });

export function alertOf(stored: Stored | undefined): AlertRecord | null {
  if (stored === undefined) return null;
  const record = stored.data as unknown as AlertRecord | Earlier;
  return "counting" in record ? record : ofEarlier(record);
}

/** An alert of version 0.1.0, which knew neither messages nor acknowledgements. */
interface Earlier extends Alert {
  readonly until: string | null;
  readonly samples: readonly string[];
}

/** It was shown as it stands: nobody is told of it again. */
function ofEarlier({ samples, ...alert }: Earlier): AlertRecord {
  const isOver = alert.status === "resolved";
  return {
    ...alert,
    counting: "openings",
    samples: samples.map((text) => ({ at: alert.openedAt, text })),
    agentId: null,
    amount: null,
    step: 0,
    reopened: 0,
    acknowledged: null,
    quietUntil: null,
    told: { isOver, step: 0, at: alert.updatedAt },
    message: null,
    flaps: 0,
    steadyAt: null,
    lookAt: isOver ? null : alert.until,
  };
}

export function alertPut(record: AlertRecord, before: Stored | undefined): VersionedPut {
  const name = fingerprint(record.id);
  const partition = record.status === "resolved" ? OVER_LIST : STANDING_LIST;
  const list = { partition, sort: `${record.openedAt}#${name}` };
  const due = record.lookAt === null ? {} : { due: { partition: LOOK_DUE, sort: `${record.lookAt}#${name}` } };
  const data = record as unknown as Json;
  return { ...alertKey(record.id), data, index: { list, ...due }, expected: before?.version ?? null };
}

/** An alert without what only its own life needs. */
export function publicAlert(record: AlertRecord): KeptAlert {
  const { counting: _, told: __, message: ___, flaps: ____, steadyAt: _____, lookAt: ______, ...alert } = record;
  return alert;
}

/** A message that is due until it was delivered: an action of the outbox. */
export interface Publication {
  /** `publish_alert/<alertId>/<status>/<step>`; of an alert that was opened again, with how often, like `0-2`. */
  readonly key: string;
  readonly kind: "publish_alert";
  /** The alert's id. */
  readonly target: string;
  readonly at: string;
  readonly outcome: "due" | "done" | "failed";
  readonly doneAt: string | null;
  readonly latencyMs: number | null;
  /** Why it was not delivered the last time. */
  readonly detail: string | null;
  readonly nextAt: string | null;
  readonly tries: number;
  /** The key of the alert's message before this one, which goes first; null where it is the first. */
  readonly after: string | null;
  readonly move: AlertMove;
}

export const publicationKey = (key: string): Key => ({ pk: `OUT#${key}`, sk: "." });

/** The key of what is told of an alert as it stands: it is told of each such state once. */
export function messageKey({ id, status, step, reopened }: KeptAlert): string {
  return `publish_alert/${id}/${status}/${step}${reopened === 0 ? "" : `-${reopened}`}`;
}

export function publicationOf(
  record: AlertRecord,
  change: AlertChange,
  after: string | null,
  now: string,
): Publication {
  return {
    key: messageKey(record),
    kind: "publish_alert",
    target: record.id,
    at: now,
    outcome: "due",
    doneAt: null,
    latencyMs: null,
    detail: null,
    nextAt: now,
    tries: 0,
    after,
    move: { alert: publicAlert(record), change },
  };
}

export function publicationPut(publication: Publication, before: Stored | undefined): VersionedPut {
  const { key, nextAt } = publication;
  const due: { due?: IndexEntry } =
    nextAt === null ? {} : { due: { partition: TELL_DUE, sort: `${nextAt}#${fingerprint(key)}` } };
  const data = publication as unknown as Json;
  return { ...publicationKey(key), data, index: due, expected: before?.version ?? null };
}
