/** The shapes that outside programs read, from the CLI's `--json` and over HTTP. Stable: fields are added, never changed. */

export type State =
  | "offered"
  | "signed"
  | "submitted"
  | "settled"
  | "safe"
  | "final"
  | "declined"
  | "expired"
  | "cancelled";

export const STATES: readonly State[] = [
  "offered",
  "signed",
  "submitted",
  "settled",
  "safe",
  "final",
  "declined",
  "expired",
  "cancelled",
];

export type Verdict = "matched" | "pending" | "break";

export const VERDICTS: readonly Verdict[] = ["matched", "pending", "break"];

export type Break =
  | "unreported_by_agent"
  | "unreported_by_api"
  | "shadow_spend"
  | "not_on_chain"
  | "amount_mismatch"
  | "payee_mismatch"
  | "asset_mismatch"
  | "paid_not_delivered"
  | "delivered_not_paid"
  | "duplicate_purchase"
  | "signed_after_revoke"
  | "settled_after_revoke"
  | "foreign_wallet"
  | "foreign_api"
  | "reverted"
  | "unwatched_chain";

/** One distinct fact of a payment. */
export interface TimelineEntry {
  /** The earliest time anyone gave for it. */
  readonly at: string;
  /** EventBridge's source: `bursar.agent.research`, `bursar.chain`, ... */
  readonly source: string;
  readonly type: string;
}

/** One payment, or a request that has signed nothing yet, or a hash that no payment claims. */
export interface Payment {
  readonly id: string;
  readonly state: State;
  readonly verdict: Verdict;
  readonly breaks: readonly Break[];
  readonly agentId: string | null;
  readonly agentIds: readonly string[];
  readonly apiId: string | null;
  readonly payer: string | null;
  readonly payee: string | null;
  readonly asset: string | null;
  /** Atomic units, decimal. */
  readonly amount: string | null;
  readonly txHashes: readonly string[];
  readonly requestId: string | null;
  readonly purchaseId: string | null;
  readonly sessionId: string | null;
  readonly explorerUrl: string | null;
  /** The block's time. */
  readonly bookedAt: string | null;
  readonly timeline: readonly TimelineEntry[];
}

export type Window = "hour" | "day" | "week" | "month" | "total";
export type Mode = "enforce" | "observe";

export interface Budget {
  readonly policy: string;
  /** `agent:research`, `org:acme`, `session:<id>`, ... */
  readonly scope: string;
  /** Of session scopes only: whose session it is. */
  readonly managerArn?: string;
  readonly window: Window;
  readonly start: string | null;
  readonly end: string | null;
  readonly limit: string;
  readonly held: string;
  readonly spent: string;
  /** limit - held - spent; may be negative. */
  readonly remaining: string;
  /** Thresholds at or below the present figure. */
  readonly crossed: readonly number[];
  readonly mode: Mode;
  /** True while payments from before the budget are still being counted: the figure is a part of the whole. */
  readonly backfilling?: true;
  /** A raised limit, and until when. */
  readonly raisedUntil?: string;
}

export type Severity = "critical" | "warning" | "info";

export interface Alert {
  /** `<rule>/<subject>/<period>` */
  readonly id: string;
  readonly rule: string;
  readonly subject: string;
  readonly severity: Severity;
  readonly status: "open" | "acknowledged" | "resolved";
  readonly count: number;
  readonly openedAt: string;
  readonly updatedAt: string;
  readonly text: string;
}

export interface Action {
  readonly key: string;
  readonly kind: "revoke_session" | "freeze_agent" | "publish_alert";
  readonly target: string;
  readonly managerArn?: string;
  readonly reason: string;
  /** When it was resolved on. */
  readonly at: string;
  readonly outcome: "planned" | "due" | "done" | "failed" | "skipped";
  /** Whose session it is, or who is frozen. Absent in a replay, as what follows. */
  readonly agentIds?: readonly string[];
  /** Who resolved on it: a budget, or a human by a command. */
  readonly by?: "budget" | "human";
  /** When it was done, and how long after `at`. */
  readonly doneAt?: string | null;
  readonly latencyMs?: number | null;
  /** What AgentCore said, or why it was not done. */
  readonly detail?: string | null;
}

/** An AgentCore payment session. Amounts are atomic units, decimal; null where it is not known. */
export interface Session {
  readonly id: string;
  readonly managerArn: string;
  readonly agentId: string | null;
  readonly userId: string | null;
  readonly status: "open" | "revoked" | "expired" | "unknown";
  readonly expiresAt: string | null;
  readonly revokedAt: string | null;
  readonly limit: string | null;
  readonly available: string | null;
  /** Signed, unsettled and unexpired: what may still settle, of a revoked session too. */
  readonly exposure: string | null;
  /** Until when at the latest what was signed before its revocation may settle; null where nothing may. */
  readonly exposedUntil: string | null;
  /** What AgentCore has counted less what our books have; positive: it counted more. */
  readonly drift: string | null;
  /** The likely cause of a drift. */
  readonly driftCause: string | null;
}

export interface Wallet {
  readonly address: string;
  readonly agentIds: readonly string[];
  readonly chainId: number;
  readonly asset: string;
  /** Atomic units, decimal: the last reading, less what has left since; null where nobody has read it. */
  readonly balance: string | null;
  readonly status: "ok" | "low" | "empty" | "unknown";
  /** How long the balance lasts at the burn of the last hour; null where nothing was spent. */
  readonly runwaySeconds: number | null;
  /** When the balance was read from the chain. */
  readonly updatedAt: string | null;
  /** Why it can pay nothing: the token's issuer has blacklisted it, or paused the token for everybody. */
  readonly blocked?: "blacklisted" | "paused";
}

export interface Health {
  readonly status: "ok" | "degraded";
  readonly version: string;
  readonly edition: string;
  readonly chain: {
    readonly id: number;
    readonly latest: number | null;
    readonly final: number | null;
    readonly lagBlocks: number | null;
  };
  readonly queueDepth: number;
  readonly quarantined: number;
  readonly alertsUndelivered: number;
  /** What is wrong now, in words. */
  readonly faults?: readonly string[];
  /** Agents that are frozen. */
  readonly frozen?: readonly string[];
}

/** One server-sent event of `GET /api/stream`. */
export interface StreamFrame {
  readonly kind: "payment" | "budget" | "alert" | "action" | "wallet" | "session";
  readonly data: unknown;
}
