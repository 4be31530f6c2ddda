/** An alert as it is kept, and what can become of it: the shapes that the state machine, delivery and texts share. */
import type { Alert } from "@bursar/events/shapes";

/** How an alert has just changed; one message each. */
export type AlertChange = "opened" | "escalated" | "acknowledged" | "resolved" | "reopened";

/** One occurrence, of at most ten that an alert keeps. */
export interface AlertSample {
  /** When it came about, ISO-8601. */
  readonly at: string;
  /** What it is about, in words; may hold producers' text, which is data. */
  readonly text: string;
  /** The payment's id, where it is about one. */
  readonly paymentId?: string;
}

export interface KeptAlert extends Alert {
  /** How many payments stand in it now; absent where it counts none. `count` is how many ever did. */
  readonly standing?: number;
  /** Oldest first. */
  readonly samples: readonly AlertSample[];
  /** Whose it is, where it is about one agent: SNS's attribute `agentId`. */
  readonly agentId: string | null;
  /** Atomic units of USDC that it is about, decimal; null where it is about none. */
  readonly amount: string | null;
  /** Powers of ten of `count` that were told: 0 for the first, 1 for ten, 2 for a hundred. */
  readonly step: number;
  /** How often it was opened again. */
  readonly reopened: number;
  /** When it is over by itself; null: never. */
  readonly until: string | null;
  /** Who has seen it, and when; null where nobody has since its last change. */
  readonly acknowledged: { readonly at: string; readonly note: string | null } | null;
  /** Until when nobody is told of it. */
  readonly quietUntil: string | null;
}

/** An alert with what has just become of it: what is delivered. */
export interface AlertMove {
  readonly alert: KeptAlert;
  readonly change: AlertChange;
}
