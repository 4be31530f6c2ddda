/**
 * Judging the alerts that payments stand in, from their counters: after every commit that may have moved them, and again
 * from the change feed; and what time alone ends, or has kept untold.
 */

import type { Tally } from "./alert-counters.ts";
import { alertOf, LOOK_DUE, OVER_LIST, STANDING_LIST } from "./alert-items.ts";
import type { Touched } from "./alert-marks.ts";
import { moveAlerts } from "./alert-move.ts";
import { ruleOf } from "./alert-rules.ts";
import type { AlertMove } from "./alert-shape.ts";
import type { AlertName, AlertRecord, Seen } from "./alert-state.ts";
import { eachEntry } from "./pages.ts";
import type { Store } from "./ports.ts";

/** Alerts that one sweep looks at; the rest waits for the next. */
const SWEEP_MAX = 256;

/** Judges the alerts of payments that moved, or may have moved before somebody died. */
export function judgeAlerts(store: Store, touched: Touched, now: string): Promise<AlertMove[]> {
  const names = [...touched.keys()].map(paymentsAlert);
  return moveAlerts(store, names, now, (name, kept, tally) => {
    const { samples = [], agentId = null } = touched.get(name.id) ?? {};
    return tally === null ? null : paymentsSeen(name, kept, tally, { samples, agentId }, now);
  });
}

/** Looks at alerts whose time has come: they end by time, or wait to be told. */
export async function sweepAlerts(store: Store, now: string): Promise<AlertMove[]> {
  const { items } = await store.index("due", LOOK_DUE, { to: `${now}~`, limit: SWEEP_MAX });
  const names = items.flatMap((stored) => alertOf(stored) ?? []);
  return moveAlerts(store, names.map(nameOf), now, (name, kept, tally) =>
    name.counting === "payments" && kept !== null && tally !== null
      ? paymentsSeen(name, kept, tally, { samples: [], agentId: kept.agentId }, now)
      : null,
  );
}

/** Looks again at what was kept quiet and is so no more: what stands untold is told. */
export async function lookAgain(store: Store, about: string, now: string): Promise<AlertMove[]> {
  const names: AlertName[] = [];
  for (const partition of [STANDING_LIST, OVER_LIST])
    for await (const stored of eachEntry(store, "list", partition)) {
      const record = alertOf(stored);
      if (record !== null && record.lookAt !== null && (record.rule === about || record.subject === about))
        names.push(nameOf(record));
    }
  return moveAlerts(store, names, now, () => null);
}

/** `<rule>/<subject>/<day>`: a rule has no slash, a day is ten long. */
function paymentsAlert(id: string): AlertName {
  const slash = id.indexOf("/");
  return { id, rule: id.slice(0, slash), subject: id.slice(slash + 1, id.lastIndexOf("/")), counting: "payments" };
}

const nameOf = ({ id, rule, subject, counting }: AlertRecord): AlertName => ({ id, rule, subject, counting });

function paymentsSeen(
  { rule, subject }: AlertName,
  kept: AlertRecord | null,
  { seen, standing, sum }: Tally,
  { samples, agentId }: Pick<Seen, "samples" | "agentId">,
  now: string,
): Seen {
  const words = `${rule.replaceAll("_", " ")}: ${subject}`;
  const times = `${seen} ${seen === 1n ? "time" : "times"}`;
  const [first] = [...(kept?.samples ?? []), ...samples];
  return {
    stands: standing > 0n,
    count: Number(seen),
    standing: Number(standing),
    severity: ruleOf(rule).severity,
    agentId: subject.startsWith("agent:")
      ? subject.slice("agent:".length)
      : subject.startsWith("wallet:")
        ? agentId
        : null,
    amount: sum === 0n ? null : sum.toString(),
    samples,
    text: `${words}, ${times}${first?.paymentId === undefined ? "" : `, such as ${first.paymentId}`}`,
    overText: `${words}, over`,
    at: now,
    until: null,
  };
}
