/**
 * Every rule that alerts go by: how grave it is, and whether it is told. One table, so that what wakes people is read in
 * one place; the config says otherwise by name, and a human keeps a rule or a subject quiet until a time.
 */
import type { Severity } from "@bursar/events/shapes";

export interface AlertRule {
  readonly severity: Severity;
  /** Whether people are told of it; it is listed in any case. */
  readonly tell: boolean;
  /** Whether its end is news: that a budget's window is over is none. */
  readonly tellEnd: boolean;
}

/** What a config may say of a rule. */
export interface RuleSetting {
  readonly severity?: Severity | undefined;
  readonly tell?: boolean | undefined;
}

const rule = (severity: Severity, tellEnd = true, tell = true): AlertRule => ({ severity, tell, tellEnd });

export const ALERT_RULES: { readonly [rule: string]: AlertRule } = {
  // Breaks: the stories of payments do not agree.
  unreported_by_agent: rule("warning"),
  unreported_by_api: rule("warning"),
  shadow_spend: rule("critical"),
  not_on_chain: rule("warning"),
  amount_mismatch: rule("warning"),
  payee_mismatch: rule("warning"),
  asset_mismatch: rule("warning"),
  paid_not_delivered: rule("warning"),
  delivered_not_paid: rule("warning"),
  duplicate_purchase: rule("warning"),
  signed_after_revoke: rule("critical"),
  settled_after_revoke: rule("warning"),
  foreign_wallet: rule("warning"),
  foreign_api: rule("warning"),
  reverted: rule("warning"),
  unwatched_chain: rule("warning"),
  unregistered_wallet: rule("warning"),
  // Budgets and what they stop.
  budget_threshold: rule("warning", false),
  would_revoke: rule("warning", false),
  session_revoked: rule("critical", false),
  revocation_failed: rule("critical"),
  revocations_held_back: rule("critical"),
  agent_frozen: rule("critical"),
  exposure: rule("warning"),
  // Sessions.
  session_expiring: rule("warning", false),
  session_expired: rule("warning", false),
  sessions_unlisted: rule("critical"),
  shared_user_id: rule("warning"),
  uncapped_session: rule("warning", false),
  drift: rule("warning"),
  // Wallets and what agents sign.
  wallet_low: rule("warning"),
  wallet_empty: rule("critical"),
  wallet_runway: rule("warning"),
  wallet_blacklisted: rule("critical"),
  token_paused: rule("critical"),
  unexplained_outflow: rule("critical"),
  claim_above_balance: rule("warning", false),
  large_payment: rule("warning", false),
  long_authorization: rule("warning", false),
  // Producers and Bursar itself.
  quarantined: rule("warning", false),
  oversized_entry: rule("warning", false),
  queue_stuck: rule("critical"),
  chain_lag: rule("critical"),
  rpc_down: rule("critical"),
};

/** A rule that this version does not know, such as one of a later: told, and no graver than it says. */
const UNKNOWN: AlertRule = rule("warning");

export const ruleOf = (name: string): AlertRule =>
  Object.hasOwn(ALERT_RULES, name) ? (ALERT_RULES[name] ?? UNKNOWN) : UNKNOWN;
