/** Payments, budgets and alerts as the terminal's tests show them, and a screen that no terminal is behind. */
import type { Alert, Budget, Payment } from "@bursar/events/shapes";
import type { Screen } from "../src/terminal/screen.ts";

export const PLAIN: Screen = { columns: 100, rows: 40, color: false, unicode: true, live: false };
export const TERMINAL: Screen = { columns: 100, rows: 40, color: true, unicode: true, live: true };

const NONCE = "0x36195cf73e66760ad0d62503b866989bb89e2e1a9377f0c66171a62f25ff28ce";
const HASH = "0xa1984478c69059949c24cb0f847a2b4819be2ff0280a442fc742fd02fcf1cbf5";
const ASSET = "0xaf88d065e77c8cc2239327c5edb3a432268e5831";
const PAYER = "0xe3ce20fdca4ca5aaa1f93d55825c54ef6b724766";
const PAYEE = "0x112214280ed150cada4c62658145e45546d2b02d";

export const matched: Payment = {
  id: `eip3009:42161:${ASSET}:${PAYER}:${NONCE}`,
  state: "final",
  verdict: "matched",
  breaks: [],
  agentId: "research",
  agentIds: ["research"],
  apiId: "reports",
  payer: PAYER,
  payee: PAYEE,
  asset: ASSET,
  amount: "10000",
  txHashes: [HASH],
  requestId: "req-honest",
  purchaseId: "purchase-honest",
  sessionId: "session-research",
  explorerUrl: `https://arbiscan.io/tx/${HASH}`,
  bookedAt: "2026-11-20T10:00:02.000Z",
  timeline: [
    { at: "2026-11-20T10:00:00.000Z", source: "bursar.agent.research", type: "agent.request_sent" },
    { at: "2026-11-20T10:00:01.000Z", source: "bursar.agent.research", type: "agent.authorization_signed" },
    { at: "2026-11-20T10:00:01.200Z", source: "bursar.api.reports", type: "api.verification_started" },
    { at: "2026-11-20T10:00:02.000Z", source: "bursar.chain", type: "chain.settled" },
  ],
};

export const signed: Payment = {
  ...matched,
  state: "signed",
  verdict: "pending",
  txHashes: [],
  explorerUrl: null,
  bookedAt: null,
  timeline: matched.timeline.slice(0, 2),
};

export const broken: Payment = {
  ...matched,
  verdict: "break",
  breaks: ["paid_not_delivered", "unreported_by_agent"],
  timeline: matched.timeline.slice(2),
};

/** What a stranger may have put where text goes: colours, a cleared screen, a bell, a turned reading direction. */
export const HOSTILE = "\u001b[2J\u001b[31mpwned\u0007\u202e\r\nsecond line";

export const budget: Budget = {
  policy: "research-day",
  scope: "agent:research",
  window: "day",
  start: "2026-11-20T00:00:00.000Z",
  end: "2026-11-21T00:00:00.000Z",
  limit: "5000000",
  held: "600000",
  spent: "3200000",
  remaining: "1200000",
  crossed: [0.5],
  mode: "enforce",
};

export const alert: Alert = {
  id: "shadow_spend/wallet:0x1/2026-11-20",
  rule: "shadow_spend",
  subject: `wallet:${PAYER}`,
  severity: "critical",
  status: "open",
  count: 2,
  openedAt: "2026-11-20T10:00:02.000Z",
  updatedAt: "2026-11-20T10:00:02.000Z",
  text: `shadow spend: wallet:${PAYER}, 2 times, such as ${matched.id}`,
};
