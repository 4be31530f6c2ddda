/** `defineConfig` types a `bursar.config.ts` and does nothing else; `config-schema.ts` checks what it holds. */

/** What a threshold does when the figure reaches it. */
export type ThresholdAction = "alert" | "revoke" | "freeze";

/** What a budget is about: exactly one of these; `"*"` is a budget for each of its kind. */
export type ScopeInput =
  | { org: string }
  | { agent: string }
  | { session: string }
  | { wallet: string }
  | { payee: string }
  | { api: string }
  | { label: string };

export interface BudgetInput {
  id: string;
  scope: ScopeInput;
  /** UTC windows; a week starts on Monday; `total` never ends. */
  window: "hour" | "day" | "week" | "month" | "total";
  /** Dollars, such as "5.00". */
  limitUsd: string;
  /** Default "enforce"; "observe" computes and alerts everything and deletes nothing. */
  mode?: "enforce" | "observe";
  /** `at` is a share of the limit: 0.5 is half of it. Default none. */
  thresholds?: { at: number; do: ThresholdAction }[];
}

export interface ConfigInput {
  org: string;
  /** Exactly one chain in version 1. RPC URLs that hold keys are secrets, named `{ secret: "Name" }`, never inline. */
  chains?: { id: number; rpcUrls?: (string | { secret: string })[] }[];
  agents?: Record<
    string,
    { wallets?: string[]; paymentManagerArn?: string; userId?: string; labels?: Record<string, string> }
  >;
  apis?: Record<string, { payTo?: string[] }>;
  budgets?: BudgetInput[];
  /**
   * When a wallet is told of: below `lowUsd` (default "1.00") it is low, and ok again from 1.2 times that; below
   * `emptyUsd` (default "0.01") it is empty, until it holds twice that. `runwayHours` (default 3; 0 is never): it lasts
   * less long than this at the burn of the last hour.
   */
  wallets?: { lowUsd?: string; emptyUsd?: string; runwayHours?: number };
  deadlines?: { settleSeconds?: number; reportSeconds?: number };
  limits?: { maxPaymentUsd?: string; revocationsPerMinute?: number };
  /**
   * Who is told, and of what. `rules` changes a rule by its name: how grave it is, or that nobody is told of it, such as
   * `{ unreported_by_api: { severity: "info" }, large_payment: { tell: false } }`; it is listed in any case.
   */
  alerts?: {
    email?: string[];
    slack?: { secret: string };
    rules?: Record<string, { severity?: "critical" | "warning" | "info"; tell?: boolean }>;
  };
}

/** Types the config; returns it as it is. */
export function defineConfig(config: ConfigInput): ConfigInput {
  return config;
}
