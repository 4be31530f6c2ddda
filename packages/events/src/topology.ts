/** The steps, what wakes each and what each emits. Infrastructure and the one-machine edition walk this one list. */

export type StepName = "correlate" | "govern" | "enforce" | "watch" | "notify";

export interface Step {
  readonly name: StepName;
  readonly does: string;
  /** What wakes it: the bus's queue, the table's stream, a call, the clock, or the alert topic. */
  readonly wokenBy: "queue" | "stream" | "call" | "clock" | "topic";
  /** Steps it hands work to. */
  readonly handsTo: readonly StepName[];
  /** Detail types behind `bursar.` that it publishes on the bus. */
  readonly emits: readonly string[];
}

/** What the ingest rule takes from the bus. */
export const INGEST_PREFIXES = ["bursar.agent.", "bursar.api."] as const;

export const topology: readonly Step[] = [
  {
    name: "correlate",
    does: "facts in, state out",
    wokenBy: "queue",
    handsTo: ["govern"],
    emits: ["payment.matched", "payment.break", "payment.healed"],
  },
  {
    name: "govern",
    does: "state in, actions out",
    wokenBy: "stream",
    handsTo: ["enforce", "notify"],
    emits: ["budget.threshold_crossed", "agent.frozen"],
  },
  {
    name: "enforce",
    does: "revocations, alone allowed to delete sessions",
    wokenBy: "call",
    handsTo: ["correlate"],
    emits: ["session.revoked"],
  },
  {
    name: "watch",
    does: "time and chain in, facts out",
    wokenBy: "clock",
    handsTo: ["correlate"],
    emits: ["wallet.low", "wallet.empty", "wallet.refilled"],
  },
  { name: "notify", does: "alert in, message out", wokenBy: "topic", handsTo: [], emits: [] },
];
