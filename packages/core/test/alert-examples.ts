/** An alert of every rule, with the samples that Bursar's own causes give it, for the golden messages. */
import type { Policy } from "@bursar/events/config-schema";
import type { Break } from "@bursar/events/shapes";
import { alertId } from "../src/alert-book.ts";
import { ruleOf } from "../src/alert-rules.ts";
import type { KeptAlert } from "../src/alert-shape.ts";
import type { Cause } from "../src/alerts.ts";
import {
  type Crossing,
  crossingCause,
  crossings,
  doneCause,
  type Figure,
  freezing,
  revocation,
  wouldCause,
} from "../src/judge.ts";
import { type AlertRule, OWN_RULES } from "../src/rule-names.ts";
import { drifted, expiring, shared, uncapped, unlisted } from "../src/session-causes.ts";
import type { KeptSession } from "../src/session-registry.ts";
import { missingCause, pausedCause, walletCause } from "../src/wallet-causes.ts";
import { newWallet, type WalletState } from "../src/wallet-state.ts";

export const OPENED_AT = "2026-11-20T12:00:11.200Z";
export const NOW = "2026-11-20T12:04:13.500Z";
export const MANAGER = "arn:aws:bedrock-agentcore:us-east-1:123456789012:payment-manager/pm-1";
export const WALLET = "0x52ab6f9c6b6f8f6d0e1b7c3a9d2e4f5061728394";
const USDC = "0xaf88d065e77c8cc2239327c5edb3a432268e5831";
const HASH = "0xa198447812f0c3b5e6d7889900aabbccddeeff00112233445566778899aacbf5";
export const PAYMENT = `eip3009:42161:${USDC}:${WALLET}:0x361928f0c3b5e6d7889900aabbccddeeff00112233445566778899aabbcc28ce`;
export const TRANSFER = `transfer:42161:${HASH}:3`;

/** As it stands once such causes have opened it. */
export function alertOf(causes: readonly Cause[], more: Partial<KeptAlert> = {}): KeptAlert {
  const [first] = causes as [Cause];
  const samples = causes.map(({ sample, at }) => {
    const isPayment = /^(?:eip3009|transfer|tx):/.test(sample);
    return { at: at ?? OPENED_AT, text: sample, ...(isPayment ? { paymentId: sample } : {}) };
  });
  return {
    id: alertId(first, OPENED_AT),
    rule: first.rule,
    subject: first.subject,
    severity: first.severity,
    status: "open",
    count: causes.length,
    openedAt: OPENED_AT,
    updatedAt: OPENED_AT,
    text: first.sample,
    samples,
    agentId: null,
    amount: null,
    step: 0,
    reopened: 0,
    until: first.until ?? null,
    acknowledged: null,
    quietUntil: null,
    ...more,
  };
}

const ABOUT: { readonly [Rule in Break]: string } = {
  unreported_by_agent: "agent:intern",
  unreported_by_api: "api:reports",
  shadow_spend: `wallet:${WALLET}`,
  not_on_chain: "agent:research",
  amount_mismatch: "agent:research",
  payee_mismatch: "agent:research",
  asset_mismatch: "agent:research",
  paid_not_delivered: "api:reports",
  delivered_not_paid: "agent:research",
  duplicate_purchase: "agent:trader",
  signed_after_revoke: "agent:gambler",
  settled_after_revoke: "agent:gambler",
  foreign_wallet: `wallet:${WALLET}`,
  foreign_api: "api:reports",
  reverted: "agent:trader",
  unwatched_chain: "agent:trader",
};

const policy: Policy = {
  id: "gambler-day",
  scope: { kind: "agent", id: "gambler" },
  window: "day",
  limit: 5_000_000n,
  mode: "enforce",
  thresholds: [{ at: 1, do: "revoke" }],
};

export const figure = (amount: bigint, more: Partial<Policy> = {}): Figure => ({
  policy: { ...policy, ...more },
  scope: { kind: "agent", id: "gambler" },
  start: "2026-11-20T00:00:00.000Z",
  end: "2026-11-21T00:00:00.000Z",
  amount,
});

const crossing = (amount: bigint, more: Partial<Policy> = {}): Crossing =>
  crossings(figure(amount, more))[0] as Crossing;

const open = { managerArn: MANAGER, sessionId: "payment-session-91", agentIds: ["gambler"] };
const over = crossing(5_100_000n);
const ofGambler = { agentId: "gambler", amount: "5100000" };

const session: KeptSession = {
  managerArn: MANAGER,
  sessionId: "payment-session-7f",
  since: "2026-11-20T11:00:00.000Z",
  namedBy: ["research"],
  claimedUsers: ["research"],
  listed: { userId: "research", agentIds: ["research"] },
  expiresAt: "2026-11-20T12:07:00.000Z",
  revokedAt: null,
  goneAt: null,
  limit: null,
  available: null,
  readAt: OPENED_AT,
  exposedUntil: null,
  drift: {
    amount: "30000",
    cause: "of $0.03 no agent has told: events are on their way, or an agent signs in silence",
    since: "2026-11-20T11:58:00.000Z",
  },
};

const wallet = (more: Partial<WalletState>): WalletState => ({
  ...newWallet(WALLET, ["research"], OPENED_AT),
  readAt: OPENED_AT,
  ...more,
});
const telling = { chainId: 42161, limits: { lowUsd: 1_000_000n, emptyUsd: 10_000n, runwayHours: 3 } };
const of = (agentId: string, amount: string | null = null): Partial<KeptAlert> => ({ agentId, amount });
const about = (rule: AlertRule, subject: string, sample: string, more: Partial<Cause> = {}): Cause => {
  return { rule, subject, sample, severity: "warning", ...more };
};
const OWN: { readonly [Rule in (typeof OWN_RULES)[number]]: KeptAlert } = {
  unregistered_wallet: alertOf([about("unregistered_wallet", `wallet:${WALLET}`, PAYMENT)], of("writer")),
  budget_threshold: alertOf(
    [crossingCause(crossing(4_000_000n, { thresholds: [{ at: 0.8, do: "alert" }] }), OPENED_AT)],
    of("gambler", "4000000"),
  ),
  session_revoked: alertOf([doneCause(revocation(open, over.reason), OPENED_AT)], ofGambler),
  would_revoke: alertOf(
    [wouldCause(revocation(open, over.reason), figure(5_100_000n, { mode: "observe" }), OPENED_AT)],
    ofGambler,
  ),
  revocation_failed: alertOf(
    [
      about(
        "revocation_failed",
        "session:payment-session-91",
        `session payment-session-91 could not be revoked (${over.reason}): AccessDeniedException: not authorized to perform bedrock-agentcore:DeletePaymentSession`,
        { severity: "critical", period: "-" },
      ),
    ],
    of("gambler"),
  ),
  revocations_held_back: alertOf([
    about(
      "revocations_held_back",
      "org:revocations",
      "sessions are held back that budgets ask to revoke: 20 in a minute is all that is done without a human. See bursar actions --outcome skipped, then bursar revoke --scope",
      { severity: "critical", until: "2026-11-21T00:00:00.000Z" },
    ),
  ]),
  agent_frozen: alertOf([doneCause(freezing("gambler", over.reason), OPENED_AT)], ofGambler),
  exposure: alertOf(
    [
      about(
        "exposure",
        "session:payment-session-91",
        "$0.50 signed in session payment-session-91 before it was revoked may still settle, until 2026-11-20T12:05:11.000Z",
        { period: "-" },
      ),
    ],
    of("gambler", "500000"),
  ),
  alerts_undelivered: alertOf([
    about("alerts_undelivered", "budget:gambler-day/agent:gambler", "no channel is configured", {
      severity: "critical",
    }),
  ]),
  drift: alertOf(drifted(session, NOW), of("research", "30000")),
  uncapped_session: alertOf(uncapped(session), of("research")),
  session_expiring: alertOf(expiring(session, NOW), of("research")),
  session_expired: alertOf(
    Array.from({ length: 3 }, () =>
      about(
        "session_expired",
        "agent:research",
        'payments fail because the session is over: "Payment session has expired". Open a new one: CreatePaymentSession',
      ),
    ),
    of("research"),
  ),
  shared_user_id: alertOf(
    shared({ name: "n", managerArn: MANAGER, userId: "fleet", agentIds: ["research", "writer"] }),
    of("research"),
  ),
  sessions_unlisted: alertOf(
    [
      unlisted(
        { name: "n", managerArn: MANAGER, userId: "research", agentIds: ["research"] },
        { refused: "AccessDeniedException: not authorized", isPassing: false },
      ),
    ],
    of("research"),
  ),
  wallet_low: alertOf(
    [walletCause("wallet_low", wallet({ status: "low", balance: "400000", runwaySeconds: 7_500 }), telling)],
    of("research", "400000"),
  ),
  wallet_empty: alertOf(
    [walletCause("wallet_empty", wallet({ status: "empty", balance: "1200" }), telling)],
    of("research", "1200"),
  ),
  wallet_runway: alertOf(
    [walletCause("wallet_runway", wallet({ status: "ok", balance: "3200000", runwaySeconds: 9_000 }), telling)],
    of("research", "3200000"),
  ),
  wallet_blacklisted: alertOf(
    [walletCause("wallet_blacklisted", wallet({ balance: "3200000", blocked: "blacklisted" }), telling)],
    of("research", "3200000"),
  ),
  token_paused: alertOf([pausedCause(USDC, 4)]),
  unexplained_outflow: alertOf(
    [
      missingCause(
        { amount: "2500000", from: 290_000_100, to: 290_000_140, at: OPENED_AT, toldAt: null },
        wallet({ balance: "3200000" }),
        telling,
      ),
    ],
    of("research", "2500000"),
  ),
  claim_above_balance: alertOf(
    [
      about(
        "claim_above_balance",
        `wallet:${WALLET}`,
        `research signed $2.00 with wallet ${WALLET}, which held $0.40 at ${OPENED_AT}: it cannot settle before the wallet is refilled. Send it USDC, or stop its agent from signing (nonce ${HASH})`,
      ),
    ],
    of("research", "2000000"),
  ),
  large_payment: alertOf(
    [
      about(
        "large_payment",
        "agent:trader",
        `$250.00 signed in one payment (${HASH}): limits.maxPaymentUsd is $100.00`,
      ),
    ],
    of("trader", "250000000"),
  ),
  long_authorization: alertOf(
    [
      about(
        "long_authorization",
        "agent:trader",
        `an authorization (${HASH}) can be settled for 86400 s, and its offer needs 60 s: a revocation does not recall it`,
      ),
    ],
    of("trader", "10000"),
  ),
  quarantined: alertOf(
    Array.from({ length: 2 }, (_, i) =>
      about("quarantined", "source:bursar.agent.research", `amount must be a decimal string (event ${i})`),
    ),
    of("research"),
  ),
  oversized_entry: alertOf([
    about("oversized_entry", "source:bursar.api.reports", "an entry with more than 50 events"),
  ]),
  silent_producer: alertOf(
    [
      about(
        "silent_producer",
        "source:bursar.agent.intern",
        "last heard at 2026-11-20T11:30:00.000Z; it spoke every 20 s before",
      ),
    ],
    of("intern"),
  ),
  queue_stuck: alertOf([
    about("queue_stuck", "org:acme", "1,204 entries wait; the oldest since 2026-11-20T11:52:00.000Z"),
  ]),
  chain_lag: alertOf([about("chain_lag", "chain:42161", "block 290,000,140 is read, and 290,004,300 is there")]),
  rpc_down: alertOf([
    about("rpc_down", "chain:42161", "https://rpc.example.com: 503 Service Unavailable", { severity: "critical" }),
  ]),
  books_differ: alertOf([about("books_differ", "day:2026-11-19", "2 payments differ", { severity: "critical" })], {
    amount: "50000",
  }),
  test: alertOf([about("test", "org:acme", "sent by bursar alerts test", { severity: "info", period: "-" })]),
};

const BREAKS = Object.entries(ABOUT).map(([rule, subject]): KeptAlert => {
  const sample = rule === "shadow_spend" ? TRANSFER : PAYMENT;
  const [, agentId = "research"] = /^agent:(.*)$/.exec(subject) ?? [];
  return alertOf([{ rule, subject, severity: ruleOf(rule).severity, sample }], {
    agentId: subject.startsWith("api:") ? null : agentId,
    amount: "10000",
  });
});

/** One of each rule, as it is once it has opened. */
export const EXAMPLES: readonly KeptAlert[] = [...BREAKS, ...OWN_RULES.map((rule) => OWN[rule])];

export const exampleOf = (rule: AlertRule): KeptAlert => EXAMPLES.find((alert) => alert.rule === rule) as KeptAlert;
