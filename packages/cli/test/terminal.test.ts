/** What the terminal shows, at a fixed width and without colour; and that no stranger's text moves its cursor. */
import { STATES, VERDICTS } from "@bursar/events/shapes";
import { describe, expect, test } from "vitest";
import type { StoryFact } from "../src/story.ts";
import { inOrder } from "../src/story-order.ts";
import { alertLines } from "../src/terminal/alert-lines.ts";
import { bar } from "../src/terminal/bar.ts";
import { budgetLines } from "../src/terminal/budget-lines.ts";
import { feedLine } from "../src/terminal/feed-line.ts";
import { amount, bytes, count, duration, percent, shortHex, shortId, usd } from "../src/terminal/figures.ts";
import { paymentPage } from "../src/terminal/payment-page.ts";
import { paymentTable } from "../src/terminal/payment-table.ts";
import { progressLine } from "../src/terminal/progress.ts";
import { type Screen, screenOf } from "../src/terminal/screen.ts";
import { painter, signsOf } from "../src/terminal/style.ts";
import { summaryLine } from "../src/terminal/summary-line.ts";
import { table } from "../src/terminal/table.ts";
import { cut, safe, widthOf, wrap } from "../src/terminal/text.ts";
import { troubleLines } from "../src/terminal/trouble-lines.ts";
import { BREAKS, breakName, STATES as STATE_WORDS } from "../src/terminal/words.ts";
import { alert, broken, budget, HOSTILE, matched, PLAIN, signed, TERMINAL } from "./samples.ts";

const signs = signsOf(PLAIN);
const ASCII: Screen = { ...PLAIN, unicode: false };

describe("figures", () => {
  test.each([
    [amount("10000"), "$0.010000"],
    [amount(null), "$?"],
    [usd("3200000"), "$3.20"],
    [usd("2000000000"), "$2,000.00"],
    [usd("1234567"), "$1.234567"],
    [usd(-1200000n), "-$1.20"],
    [count(1217), "1,217"],
    [percent(382n, 500n), "76 %"],
    [percent(1n, 500n), "<1 %"],
    [percent(1n, 0n), "over"],
    [percent(0n, 0n), "0 %"],
    [duration(0.31), "0.31 s"],
    [duration(0.999), "1.0 s"],
    [duration(9.96), "10 s"],
    [duration(59.6), "1 min"],
    [duration(245), "4 min 5 s"],
    [duration(14_580), "4 h 3 min"],
    [duration(194_400), "2 d 6 h"],
    [duration(-3), "0.00 s"],
    [bytes(999), "999 B"],
    [bytes(82_328_900), "82.3 MB"],
    [shortHex("0xa1984478c69059949c24cb0f847a2b4819be2ff0280a442fc742fd02fcf1cbf5", signs), "0xa198…cbf5"],
    [shortHex("0xa198", signs), "0xa198"],
    [shortId(matched.id, signs), "0x3619…28ce"],
    [shortId("request:research:req-17", signs), "research/req-17"],
    [shortId("transfer:42161:0xa1984478c69059949c24cb0f847a2b48:3", signs), "0xa198…2b48"],
  ])("%s", (shown, expected) => {
    expect(shown).toBe(expected);
  });
});

describe("text of strangers", () => {
  test("control characters, escapes and turned directions never get through", () => {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
    const control = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/;
    const payment = {
      ...broken,
      agentId: HOSTILE,
      agentIds: [HOSTILE],
      apiId: HOSTILE,
      requestId: HOSTILE,
      sessionId: HOSTILE,
    };
    const story: StoryFact[] = [
      { at: HOSTILE.padEnd(24), source: `bursar.agent.${HOSTILE}`, type: `agent.${HOSTILE}`, value: null },
      {
        at: "2026-11-20T10:00:00.000Z",
        source: "bursar.agent.x",
        type: "agent.payment_failed",
        value: { reason: "other", message: HOSTILE },
      },
    ];
    const at = "2026-11-20T10:00:03.000Z";
    const lines = [
      ...paymentTable([payment], PLAIN),
      ...paymentPage({ payment, story, budgets: [{ ...budget, policy: HOSTILE }] }, PLAIN),
      ...budgetLines([{ ...budget, policy: HOSTILE }], PLAIN, null),
      ...alertLines([{ ...alert, rule: HOSTILE, subject: HOSTILE, text: HOSTILE }], PLAIN),
      feedLine({ kind: "payment", at, data: payment, before: null }, PLAIN),
      feedLine(
        { kind: "quarantined", at, data: { source: HOSTILE, eventId: null, reason: HOSTILE, event: null } },
        PLAIN,
      ),
      feedLine({ kind: "notice", at, data: { message: HOSTILE } }, PLAIN),
    ];
    for (const line of lines) expect(line ?? "").not.toMatch(control);
    expect(lines.join("\n")).toContain("pwned");
  });

  test("widths are counted as terminals count them", () => {
    expect(widthOf("aé✓")).toBe(3);
    expect(widthOf("支払い")).toBe(6);
    expect(widthOf("e\u0301")).toBe(1);
    expect(cut("支払い", 5, "…")).toBe("支払…");
    expect(cut("payments", 5, "…")).toBe("paym…");
    expect(safe("a\tb\u001b[0m")).toBe("ab[0m");
    expect(wrap("one two three", 7)).toEqual(["one two", "three"]);
    expect(wrap("0123456789", 4)).toEqual(["0123", "4567", "89"]);
  });
});

describe("table", () => {
  test("what is too wide gives way where it may, and nothing else does", () => {
    const lines = table(
      [{ title: "ID" }, { title: "TEXT", min: 6 }, { title: "N", align: "right" }],
      [
        ["0x36", "a text that is much too long", "7"],
        ["0x37", "支払い支払い支払い支払い", "12"],
      ],
      { ...PLAIN, columns: 24 },
    );
    expect(lines).toEqual(["ID    TEXT             N", "0x36  a text that i…   7", "0x37  支払い支払い…   12"]);
  });

  test("colours change no width", () => {
    const rows = [[{ text: "break", color: "red" as const }, "x"]];
    const columns = [{ title: "A" }, { title: "B" }];
    const [, colored = ""] = table(columns, rows, TERMINAL);
    expect(colored).toBe(`${painter(TERMINAL)("red", "break")}  x`);
    expect(table(columns, rows, PLAIN)[1]).toBe("break  x");
  });

  test.each([60, 80, 100, 140])("payments fit %i columns", (columns) => {
    const lines = paymentTable([matched, signed, { ...broken, agentIds: ["a".repeat(60)], apiId: "b".repeat(60) }], {
      ...PLAIN,
      columns,
    });
    for (const line of lines) expect(widthOf(line)).toBeLessThanOrEqual(Math.max(columns, 80));
  });
});

describe("bars", () => {
  test.each([
    [3_200_000n, 600_000n, 5_000_000n, "██████▒░░░"],
    [0n, 0n, 5_000_000n, "░░░░░░░░░░"],
    [1n, 0n, 5_000_000n, "█░░░░░░░░░"],
    [0n, 1n, 5_000_000n, "▒░░░░░░░░░"],
    [4_999_999n, 0n, 5_000_000n, "█████████░"],
    [5_000_000n, 0n, 5_000_000n, "██████████"],
    [5_000_000n, 1n, 5_000_000n, "█████████▒"],
    [5_000_000n, 5_000_000n, 5_000_000n, "█████▒▒▒▒▒"],
    [0n, 0n, 0n, "░░░░░░░░░░"],
    [1n, 0n, 0n, "██████████"],
  ])("%i spent, %i held of %i", (spent, held, limit, expected) => {
    expect(bar(spent, held, limit, 10, signs)).toBe(expected);
  });

  test("a budget says what is spent, held, and when it resets", () => {
    const now = "2026-11-20T12:01:00.000Z";
    expect(
      budgetLines([budget, { ...budget, policy: "all", mode: "observe", held: "0" }], PLAIN, now),
    ).toMatchInlineSnapshot(`
      [
        "research-day  ██████████▒▒░░░░  $3.20 spent + $0.60 held of $5.00   76 %  resets in 11 h 59 min",
        "all research  ██████████░░░░░░  $3.20 spent of $5.00                64 %  observe, 11 h 59 min left",
      ]
    `);
    const each = { ...budget, policy: "each-agent-hour", scope: "agent:research" };
    expect(budgetLines([each], PLAIN, now)).toEqual([
      "each-agent-hour research  █████▒░░░  $3.20 spent + $0.60 held of $5.00   76 %  resets in 11 h 59 min",
    ]);
    expect(budgetLines([budget], ASCII, now)).toMatchInlineSnapshot(`
      [
        "research-day  ##########==....  $3.20 spent + $0.60 held of $5.00   76 %  resets in 11 h 59 min",
      ]
    `);
  });
});

describe("feed", () => {
  const at = "2026-11-20T10:00:02.310Z";
  const before = { state: "signed", verdict: "pending", breaks: [] } as const;

  test("a payment moves: signed, matched, broken, healed, closed", () => {
    const lines = [
      feedLine({ kind: "payment", at, data: signed, before: null }, PLAIN),
      feedLine({ kind: "payment", at, data: matched, before }, PLAIN),
      feedLine({ kind: "payment", at, data: broken, before }, PLAIN),
      feedLine(
        { kind: "payment", at, data: matched, before: { ...before, verdict: "break", breaks: ["reverted"] } },
        PLAIN,
      ),
      feedLine({ kind: "payment", at, data: { ...signed, state: "expired", verdict: "matched" }, before }, PLAIN),
      feedLine({ kind: "alert", at, data: { ...alert, count: 1 } }, PLAIN),
    ];
    expect(lines).toMatchInlineSnapshot(`
      [
        "10:00:02.3  research → reports  $0.010000  signed              agent ✓ api – chain –  0x3619…28ce",
        "10:00:02.3  research → reports  $0.010000  matched in 1.3 s    agent ✓ api ✓ chain ✓  0xa198…cbf5",
        "10:00:02.3  research → reports  $0.010000  break: paid, not delivered, unreported by agent  agent – api ✓ chain ✓  0xa198…cbf5",
        "10:00:02.3  research → reports  $0.010000  healed, agrees now  agent ✓ api ✓ chain ✓  0xa198…cbf5",
        "10:00:02.3  research → reports  $0.010000  expired, not paid   agent ✓ api – chain –  0x3619…28ce",
        "10:00:02.3  critical: shadow spend wallet:0xe3ce20fdca4ca5aaa1f93d55825c54ef6b724766 is open",
      ]
    `);
    expect(feedLine({ kind: "payment", at, data: matched, before }, ASCII)).toMatchInlineSnapshot(
      `"10:00:02.3  research -> reports  $0.010000  matched in 1.3 s    agent y api y chain y  0xa198..cbf5"`,
    );
  });

  test("a settlement that a reorg takes back is told, and that the chain does not stand by it", () => {
    const data = { ...matched, state: "submitted", verdict: "pending" } as const;
    const settled = { state: "final", verdict: "matched", breaks: [] } as const;
    expect(feedLine({ kind: "payment", at, data, before: settled }, PLAIN)).toMatchInlineSnapshot(
      `"10:00:02.3  research → reports  $0.010000  taken back by a reorg  agent ✓ api ✓ chain –  0xa198…cbf5"`,
    );
  });

  test("a wallet that nobody registered is told once: no payment's line says it", () => {
    const unregistered = { ...alert, rule: "unregistered_wallet", severity: "warning" } as const;
    const line = (count: number) => feedLine({ kind: "alert", at, data: { ...unregistered, count } }, PLAIN);
    expect(line(1)).toMatchInlineSnapshot(
      `"10:00:02.3  warning: unregistered wallet wallet:0xe3ce20fdca4ca5aaa1f93d55825c54ef6b724766 is open"`,
    );
    expect(line(2)).toBeNull();
  });

  test("a trouble of the demo is told when it begins and turns, with what to look for, and not when it is done", () => {
    const told = {
      name: "replaced",
      words: "a facilitator's transaction falls out of the mempool; another one comes late",
      leads: { breaks: ["not_on_chain"], heals: true },
      error: null,
    } as const;
    const lines = (["begins", "says", "done", "failed"] as const).map((phase) =>
      troubleLines({ ...told, phase, error: phase === "failed" ? "no session" : null }, at, PLAIN),
    );
    expect(lines).toMatchInlineSnapshot(`
      [
        [
          "10:00:02.3  trouble  a facilitator's transaction falls out of the mempool; another one comes late",
          "                     (look for: not on chain, then healed)",
        ],
        [
          "10:00:02.3  trouble  a facilitator's transaction falls out of the mempool; another one comes late",
        ],
        [],
        [
          "10:00:02.3  trouble  not made: a facilitator's transaction falls out of the mempool; another one",
          "                     comes late: no session",
        ],
      ]
    `);
    expect(troubleLines({ ...told, phase: "begins" }, at, { ...TERMINAL, columns: 60 }).length).toBeGreaterThan(1);
  });

  test("finality, repeats and heads make no line", () => {
    const same = { state: "safe", verdict: "matched", breaks: [] } as const;
    expect(feedLine({ kind: "payment", at, data: matched, before: same }, PLAIN)).toBeNull();
    expect(feedLine({ kind: "payment", at, data: broken, before: { ...before, ...broken } }, PLAIN)).toBeNull();
    expect(feedLine({ kind: "alert", at, data: alert }, PLAIN)).toBeNull();
    expect(feedLine({ kind: "heads", at, data: { chainId: 42161, latest: 2, safe: 1, final: 0 } }, PLAIN)).toBeNull();
  });

  test.each([40, 60, 80, 100, 120])("no line wraps on a terminal of %i columns", (columns) => {
    const screen = { ...TERMINAL, columns };
    for (const data of [signed, matched, broken]) {
      const line = feedLine({ kind: "payment", at, data, before: data === signed ? null : before }, screen) ?? "";
      // biome-ignore lint/suspicious/noControlCharactersInRegex: our own colours and links
      expect(widthOf(line.replace(/\u001b\[\d+m|\u001b\]8;;[^\u001b]*\u001b\\/g, ""))).toBeLessThanOrEqual(columns);
    }
  });

  test.each([
    [120, "break: unreported by agent  agent – api ✓ chain ✓  0xa198…cbf5"],
    [100, "break: unreported by agent  0xa198…cbf5"],
    [80, "break: unreported by agent  0xa19844"],
  ])("a break is shown by name on a terminal of %i columns", (columns, expected) => {
    const data = { ...broken, breaks: ["unreported_by_agent" as const] };
    const line = feedLine({ kind: "payment", at, data, before }, { ...TERMINAL, columns }) ?? "";
    // biome-ignore lint/suspicious/noControlCharactersInRegex: our own colours and links
    expect(line.replace(/\u001b\[\d+m|\u001b\]8;;[^\u001b]*\u001b\\/g, "")).toContain(expected);
  });

  test("the totals give up what matters less on a narrow screen", () => {
    const summary = {
      payments: 118,
      matched: 115,
      pending: 1,
      breaks: 2,
      spent: 3_420_000n,
      held: 560_000n,
      alertsOpen: 1,
      block: 1217,
      queueDepth: 0,
    };
    expect(summaryLine(summary, { ...PLAIN, columns: 120 })).toMatchInlineSnapshot(
      `"── 118 payments · $3.42 spent today · $0.56 held · 115 matched · 1 pending · 2 breaks · 1 alert open · block 1,217 ──"`,
    );
    expect(summaryLine(summary, { ...PLAIN, columns: 60 })).toMatchInlineSnapshot(
      `"── 118 payments · $3.42 spent today · 2 breaks ──"`,
    );
    for (const columns of [40, 60, 80, 100])
      expect(widthOf(summaryLine(summary, { ...PLAIN, columns }))).toBeLessThanOrEqual(columns);
  });
});

describe("pages", () => {
  const accepted = { scheme: "exact", network: "eip155:42161", amount: "10000" };
  const story: StoryFact[] = [
    fact("10:00:00.000", "agent.research", "agent.request_sent", {
      resource: { method: "GET", url: "https://reports.example.com/reports/q3" },
    }),
    fact("10:00:00.100", "api.reports", "api.payment_demanded", { offers: [accepted] }),
    fact("10:00:00.200", "agent.research", "agent.payment_required", { offers: [accepted] }),
    fact("10:00:00.300", "agent.research", "agent.authorization_requested", { accepted }),
    fact("10:00:01.000", "agent.research", "agent.authorization_signed", { amount: "10000" }),
    fact("10:00:01.200", "api.reports", "api.verification_started", { amount: "10000" }),
    fact("10:00:01.500", "api.reports", "api.transaction_submitted", { txHash: matched.txHashes[0] }),
    fact("10:00:02.000", "chain", "chain.settled", { amount: "10000", blockNumber: 1217 }),
    fact("10:00:02.100", "api.reports", "api.content_returned", { status: 200 }),
    fact("10:00:02.200", "agent.research", "agent.response_received", { status: 200, settled: true }),
    fact("10:00:02.900", "agent.liar", "agent.response_received", { status: 500, settled: false }),
  ];

  test("one payment is three stories side by side", () => {
    expect(paymentPage({ payment: matched, story, budgets: [budget] }, PLAIN).join("\n")).toMatchInlineSnapshot(`
      "$0.010000  research → reports  final, matched
                  The money moved, for good.

      2026-11-20  agent                        API                          chain
      10:00:00.0  request GET /reports/q3
      10:00:00.1                               demanded $0.010000
      10:00:00.2  402: $0.010000
      10:00:00.3  accepts $0.010000
      10:00:01.0  signed $0.010000
      10:00:01.2                               verifying $0.010000
      10:00:01.5                               submitted 0xa198…cbf5
      10:00:02                                                              settled $0.010000 block 1,217
      10:00:02.1                               content 200
      10:00:02.2  200, settled
      10:00:02.9  liar: 500, not settled

      amounts     accepted $0.010000 = signed = verified = settled
      booked      2026-11-20 10:00:02 UTC · budgets research-day (76 %)
      wallet      0xe3ce20fdca4ca5aaa1f93d55825c54ef6b724766 → 0x112214280ed150cada4c62658145e45546d2b02d
      nonce       0x36195cf73e66760ad0d62503b866989bb89e2e1a9377f0c66171a62f25ff28ce
      tx          0xa1984478c69059949c24cb0f847a2b4819be2ff0280a442fc742fd02fcf1cbf5
      request     req-honest
      purchase    purchase-honest
      session     session-research
      look it up  https://arbiscan.io/tx/0xa1984478c69059949c24cb0f847a2b4819be2ff0280a442fc742fd02fcf1cbf5"
    `);
  });

  test("a block's whole second stands behind what led to it", () => {
    const facts = [
      fact("10:00:02.000", "chain", "chain.settled", {}),
      fact("10:00:02.900", "agent.research", "agent.response_received", {}),
      fact("10:00:02.500", "api.reports", "api.transaction_submitted", {}),
      fact("10:00:02.400", "agent.research", "agent.authorization_signed", {}),
      fact("10:00:09.000", "chain", "chain.orphaned", {}),
    ];
    expect(inOrder(facts).map(({ type }) => type)).toEqual([
      "agent.authorization_signed",
      "api.transaction_submitted",
      "chain.settled",
      "agent.response_received",
      "chain.orphaned",
    ]);
  });

  test("a break is explained, and amounts that differ are told apart", () => {
    const other = [...story, fact("10:00:03.000", "chain", "chain.settled", { amount: "20000", blockNumber: 1218 })];
    const page = paymentPage({ payment: broken, story: other, budgets: [] }, ASCII).join("\n");
    expect(page).toContain("accepted $0.010000 = signed = verified != settled $0.010000 and $0.020000");
    expect(page).toContain(BREAKS.paid_not_delivered.means);
    expect(page).toContain("break: unreported by agent");
  });

  test("where only the timeline is known, it is told without figures", () => {
    const bare = matched.timeline.map((entry) => ({ ...entry, value: null }));
    expect(paymentPage({ payment: matched, story: bare, budgets: [] }, PLAIN).slice(3, 8)).toMatchInlineSnapshot(`
      [
        "2026-11-20  agent                        API                          chain",
        "10:00:00.0  request",
        "10:00:01.0  signed",
        "10:00:01.2                               verifying",
        "10:00:02                                                              settled",
      ]
    `);
  });

  test("alerts name the command that shows one", () => {
    expect(alertLines([alert], PLAIN)).toMatchInlineSnapshot(`
      [
        "critical  shadow spend · wallet 0xe3ce…4766 · 2 times since 2026-11-20 10:00:02",
        "          such as: bursar payment 0x3619…28ce",
        "          shadow_spend/wallet:0xe3ce20fdca4ca5aaa1f93d55825c54ef6b724766",
      ]
    `);
  });
});

test("every state, verdict and break has words", () => {
  for (const state of STATES) expect(STATE_WORDS[state].means).toMatch(/\.$/);
  for (const { name, means } of Object.values(BREAKS)) {
    expect(name).not.toContain("_");
    expect(means).toMatch(/\.$/);
  }
  expect(VERDICTS).toHaveLength(3);
  expect(breakName("a_newer_break")).toBe("a newer break");
});

test.each([
  [{ isTTY: true, columns: 80 }, {}, { color: true, columns: 80, live: true }],
  [{ isTTY: true, columns: 80 }, { NO_COLOR: "1" }, { color: false }],
  [{ isTTY: true, columns: 80 }, { NO_COLOR: "" }, { color: true }],
  [{ isTTY: false }, { FORCE_COLOR: "1" }, { color: true, live: false, columns: 100 }],
  [{ isTTY: false }, {}, { color: false, columns: 100, unicode: true }],
  [{ isTTY: true }, { TERM: "dumb" }, { color: false, live: false }],
  [{}, { LANG: "C" }, { unicode: false }],
  [{}, { LANG: "en_US.UTF-8" }, { unicode: true }],
  [{}, { LC_ALL: "POSIX", LANG: "en_US.UTF-8" }, { unicode: false }],
])("screen %j %j", (stream, env, expected) => {
  expect(screenOf(stream, env)).toMatchObject(expected);
});

test("progress says how much, how fast and how long still", () => {
  expect(progressLine(25_000_000, 100_000_000, 40_000, 2, " · ")).toBe(
    "40,000 events · 20,000/s · 25 % of 100 MB · about 6.0 s left",
  );
  expect(progressLine(25_000_000, null, 40_000, 2, " · ")).toBe("40,000 events · 20,000/s · 25.0 MB");
});

function fact(time: string, source: string, type: string, value: StoryFact["value"]): StoryFact {
  return { at: `2026-11-20T${time}Z`, source: `bursar.${source}`, type, value };
}
