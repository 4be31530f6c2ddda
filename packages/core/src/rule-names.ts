/** Every rule that an alert can have. Whoever adds one gives it words: the table of words is typed by this list. */
import type { Break } from "@bursar/events/shapes";

/** Rules that are no breaks: what budgets, sessions, wallets, producers and the machine give cause to tell. */
export const OWN_RULES = [
  "unregistered_wallet",
  "budget_threshold",
  "session_revoked",
  "would_revoke",
  "revocation_failed",
  "revocations_held_back",
  "agent_frozen",
  "exposure",
  "alerts_undelivered",
  "drift",
  "uncapped_session",
  "session_expiring",
  "session_expired",
  "shared_user_id",
  "sessions_unlisted",
  "wallet_low",
  "wallet_empty",
  "wallet_runway",
  "wallet_blacklisted",
  "token_paused",
  "unexplained_outflow",
  "claim_above_balance",
  "large_payment",
  "long_authorization",
  "quarantined",
  "oversized_entry",
  "silent_producer",
  "queue_stuck",
  "chain_lag",
  "rpc_down",
  "books_differ",
  "test",
] as const;

export type OwnRule = (typeof OWN_RULES)[number];
export type AlertRule = Break | OwnRule;
