/** Which alerts the verdicts and the quarantine of one moment open. (Their life over time: the alert state machine.) */
import type { Quarantined } from "@bursar/events/envelope";
import type { Alert, Break, Payment, Severity } from "@bursar/events/shapes";
import { ruleOf } from "./alert-rules.ts";
import type { Findings } from "./assess.ts";
import type { Directory } from "./directory.ts";
import { ofType } from "./evidence.ts";

/** A cause for an alert, before it is counted. */
export interface Cause {
  readonly rule: string;
  readonly subject: string;
  readonly severity: Severity;
  /** What it is about, for the sample list. */
  readonly sample: string;
  /** The last part of the alert's id; default the day. */
  readonly period?: string;
  /** When it came about; default the time of judging. */
  readonly at?: string;
  /** When it is over by itself, such as with a budget's window; null or absent: never. */
  readonly until?: string | null;
  /** What makes it one event of its alert; default the sample. Told again under the same name it is not counted again. */
  readonly name?: string;
  /** Whose it is, where the subject does not say. */
  readonly agentId?: string | null;
  /** Atomic units of USDC that it is about, decimal. */
  readonly amount?: string;
}

const ABOUT_API: ReadonlySet<Break> = new Set<Break>(["unreported_by_api", "paid_not_delivered", "foreign_api"]);
const ABOUT_WALLET: ReadonlySet<Break> = new Set<Break>(["shadow_spend", "foreign_wallet"]);

/** Of a payment, what says which alerts it stands in. */
export type Standing = Pick<Payment, "id" | "breaks" | "payer" | "apiId" | "agentId">;

/** One cause per break, and one for a wallet that nobody registered. */
export function paymentCauses(payment: Standing, findings: Findings | null, directory: Directory): Cause[] {
  const causes = payment.breaks.map((rule): Cause => {
    return { rule, subject: subjectOf(rule, payment, findings), severity: ruleOf(rule).severity, sample: payment.id };
  });
  const { payer } = payment;
  const signed = findings !== null && ofType([...findings.evidence.agent], "agent.authorization_signed").length > 0;
  if (payer !== null && signed && !directory.walletOwner.has(payer)) {
    causes.push({ rule: "unregistered_wallet", subject: `wallet:${payer}`, severity: "warning", sample: payment.id });
  }
  return causes;
}

export function quarantineCauses(quarantined: readonly Quarantined[]): Cause[] {
  return quarantined.map(({ source, reason }) => ({
    rule: "quarantined",
    subject: `source:${source ?? "unknown"}`,
    severity: "warning",
    sample: reason,
  }));
}

/** One alert per rule, subject and day, with a count; sorted by id. */
export function openAlerts(causes: readonly Cause[], now: string): Alert[] {
  const alerts = new Map<string, { cause: Cause; samples: string[]; count: number }>();
  for (const cause of causes) {
    const id = `${cause.rule}/${cause.subject}/${cause.period ?? now.slice(0, 10)}`;
    const known = alerts.get(id) ?? { cause, samples: [], count: 0 };
    known.count++;
    if (known.samples.length < SAMPLES_MAX) known.samples.push(cause.sample);
    alerts.set(id, known);
  }
  return [...alerts]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([id, { cause, samples, count }]) => ({
      id,
      rule: cause.rule,
      subject: cause.subject,
      severity: cause.severity,
      status: "open",
      count,
      openedAt: cause.at ?? now,
      updatedAt: cause.at ?? now,
      text: `${cause.rule.replaceAll("_", " ")}: ${cause.subject}, ${count} ${count === 1 ? "time" : "times"}, such as ${samples[0]}`,
    }));
}

/** Samples that an alert keeps. */
const SAMPLES_MAX = 10;

function subjectOf(rule: Break, payment: Standing, findings: Findings | null): string {
  if (ABOUT_WALLET.has(rule) && payment.payer !== null) return `wallet:${payment.payer}`;
  if (ABOUT_API.has(rule)) {
    const foreign =
      rule === "foreign_api" ? findings?.evidence.foreignApi.map((entry) => entry.who).sort()[0] : undefined;
    const api = foreign ?? payment.apiId;
    return api === null ? `payment:${payment.id}` : `api:${api}`;
  }
  return payment.agentId === null ? `payment:${payment.id}` : `agent:${payment.agentId}`;
}
