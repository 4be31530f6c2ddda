/** The feed's lines about governance: short, in one column, whole on a terminal of a hundred columns. */
import type { Action, Alert } from "@bursar/events/shapes";
import { describe, expect, test } from "vitest";
import type { MachineEvent } from "../src/feed.ts";
import { createFeedLines } from "../src/terminal/feed-lines.ts";
import { shortReason } from "../src/terminal/reason-text.ts";
import type { Screen } from "../src/terminal/screen.ts";
import { unpainted, widthOf } from "../src/terminal/text.ts";
import { HOSTILE, PLAIN, TERMINAL } from "./samples.ts";

const AT = "2026-11-20T12:00:11.230Z";
const LATER = "2026-11-20T12:00:21.230Z";
const ID = "payment-session-bc1b0h2k9p9eva3";
const REASON = "gambler-hour: agent:gambler is at 102 % of $5.00 ($5.10)";

const revoked: Action = {
  key: `revoke_session/arn/${ID}`,
  kind: "revoke_session",
  target: ID,
  managerArn: "arn",
  reason: REASON,
  at: AT,
  outcome: "done",
  agentIds: ["gambler"],
  by: "budget",
  doneAt: AT,
  latencyMs: 14,
  detail: null,
};
const frozen: Action = {
  ...revoked,
  key: "freeze_agent/hydra",
  kind: "freeze_agent",
  target: "hydra",
  agentIds: ["hydra"],
  reason: "hydra-hour: agent:hydra is at 100 % of $2.00 ($2.00)",
  latencyMs: 0,
};
const threshold: Alert = {
  id: "budget_threshold/budget:gambler-hour/agent:gambler/2026-11-20T12:00:00.000Z/1",
  rule: "budget_threshold",
  subject: "budget:gambler-hour/agent:gambler",
  severity: "warning",
  status: "open",
  count: 1,
  openedAt: AT,
  updatedAt: AT,
  text: REASON,
};
const exposure: Alert = {
  ...threshold,
  rule: "exposure",
  subject: `session:${ID}`,
  text: `$0.50 signed in session ${ID} before it was revoked may still settle, until 2026-11-20T12:01:11.000Z`,
};

const action = (data: Action): MachineEvent => ({ kind: "action", at: data.at, data });
const alert = (data: Alert): MachineEvent => ({ kind: "alert", at: AT, data });

function shown(events: readonly MachineEvent[], screen: Screen = { ...TERMINAL, color: false }): string[] {
  const linesOf = createFeedLines();
  return events.flatMap((event) => linesOf(event, screen));
}

describe("reasons", () => {
  test.each([
    [REASON, "gambler-hour at 102 %"],
    ["free: agent:x is at all of $0.00 ($0.01)", "free at all"],
    [`${REASON}; org-day: org:acme is at 100 % of $1,000.00 ($1,000.00)`, "gambler-hour at 102 %; org-day at 100 %"],
    ["hydra is frozen: hydra-hour: agent:hydra is at 100 % of $2.00 ($2.00)", "frozen"],
    ["hydra is frozen: runs wild; hydra is frozen: again", "frozen"],
    ["key leaked", "key leaked"],
    [HOSTILE, "[2J[31mpwnedsecond line"],
  ])("%s", (reason, expected) => {
    expect(shortReason(reason)).toBe(expected);
  });
});

describe("what Bursar did", () => {
  test("a session that is revoked, with what it may still cost where there is room", () => {
    const events = [alert(exposure), action({ ...revoked, outcome: "due" }), action(revoked)];
    expect(shown(events)).toMatchInlineSnapshot(`
      [
        "12:00:11.2  gambler  payment-session-bc1b0h2k9p9eva3 revoked in 14 ms   gambler-hour at 102 %",
        "                     exposure $0.50 until 12:01:11",
      ]
    `);
    expect(shown(events, { ...PLAIN, live: true, columns: 130 })).toMatchInlineSnapshot(`
      [
        "12:00:11.2  gambler  payment-session-bc1b0h2k9p9eva3 revoked in 14 ms   gambler-hour at 102 %  exposure $0.50 until 12:01:11",
      ]
    `);
    const short = [alert({ ...exposure, subject: "session:s-91" }), action({ ...revoked, target: "s-91" })];
    expect(shown(short)[0]).toContain("gambler  session s-91 revoked in 14 ms ");
  });

  test("on a narrow terminal ids lose what all of them begin with", () => {
    expect(shown([action(revoked), action(frozen)], { ...TERMINAL, color: false, columns: 80 })).toEqual([
      "12:00:11.2  gambler  bc1b0h2k9p9eva3 revoked in 14 ms   gambler-hour at 102 %",
      "12:00:11.2  hydra    frozen                             hydra-hour at 100 %",
    ]);
  });

  test("the rest of it", () => {
    expect(
      shown([
        action(frozen),
        action({ ...revoked, target: "payment-session-2", agentIds: ["hydra"], reason: frozen.reason }),
        action({ ...revoked, target: "payment-session-3", agentIds: ["hydra"], reason: frozen.reason, at: LATER }),
        action({ ...revoked, outcome: "skipped", detail: "held back: more than allowed" }),
        action({
          ...revoked,
          outcome: "failed",
          detail: `DeletePaymentSession ${ID} for user g at arn:aws:x:payment-manager/demo: denied. Check the credentials`,
        }),
        action({ ...revoked, detail: "AgentCore had no such session" }),
        action({ ...revoked, agentIds: [], reason: "key leaked", latencyMs: 63_000 }),
      ]),
    ).toMatchInlineSnapshot(`
      [
        "12:00:11.2  hydra    frozen                                             hydra-hour at 100 %",
        "12:00:11.2  hydra    payment-session-2 revoked in 14 ms                 hydra-hour at 100 %",
        "12:00:21.2  hydra    payment-session-3 revoked in 14 ms                 frozen",
        "12:00:11.2  gambler  payment-session-bc1b0h2k9p9eva3 held back          gambler-hour at 102 %",
        "12:00:11.2  gambler  payment-session-bc1b0h2k9p9eva3 not revoked        denied. Check the credentia…",
        "12:00:11.2  gambler  payment-session-bc1b0h2k9p9eva3 was over already   gambler-hour at 102 %",
        "12:00:11.2  nobody   payment-session-bc1b0h2k9p9eva3 revoked in 63 s    key leaked",
      ]
    `);
  });

  test("an agent that was let go is told of by its budget again", () => {
    const free: Alert = { ...threshold, rule: "agent_frozen", subject: "agent:hydra", status: "resolved" };
    const later = { ...revoked, agentIds: ["hydra"], at: LATER };
    expect(shown([action(frozen), alert(free), action(later)]).at(-1)).toContain("gambler-hour at 102 %");
  });

  test("an exposure that comes after the revocation, and one that is over before it, are told once or not at all", () => {
    expect(shown([action(revoked), alert(exposure)])[1]).toBe(
      `12:00:11.2  gambler  ${ID} exposure $0.50 until 12:01:11`,
    );
    const over: Alert = { ...exposure, status: "resolved", text: "the chain has closed all that was signed in it" };
    expect(shown([alert(exposure), alert(over), action(revoked), alert(over)])).toHaveLength(1);
  });
});

describe("alerts", () => {
  test("each says whom it is about and what it is, in one line", () => {
    const would: Alert = { ...threshold, rule: "would_revoke", subject: `session:${ID}` };
    expect(
      shown([
        alert(threshold),
        alert({ ...threshold, id: "again at another share" }),
        alert({ ...threshold, text: "quotes-day: api:quotes is at 80 % of $20.00 ($16.00)" }),
        alert(would),
        alert({ ...would, subject: "agent:gambler" }),
        alert({
          ...threshold,
          rule: "revocation_failed",
          severity: "critical",
          subject: "agent:loner",
          text: `${REASON.replaceAll("gambler", "loner")}, and nothing can be revoked: no session of loner is known`,
        }),
        alert({
          ...threshold,
          rule: "revocations_held_back",
          severity: "critical",
          subject: "org:revocations",
          text: `3 revocations held back, the first of session ${ID} (${REASON}): more than 20 in a minute need a human. See`,
        }),
      ]),
    ).toMatchInlineSnapshot(`
      [
        "12:00:11.2  gambler  budget gambler-hour       ██████████  102 %  $5.10 of $5.00",
        "12:00:11.2  quotes   budget quotes-day         ████████░░   80 %  $16.00 of $20.00",
        "12:00:11.2  gambler  payment-session-bc1b0h2k9p9eva3 would be revoked  gambler-hour at 102 %",
        "12:00:11.2  gambler  would be frozen  gambler-hour at 102 %",
        "12:00:11.2  loner    cannot be stopped  loner-hour at 102 %, no session known; bursar doctor",
        "12:00:11.2  held back  20 revocations in a minute is all without a human: bursar revoke --scope",
      ]
    `);
  });

  test("what is over, or has a line of its own, makes none", () => {
    for (const rule of ["session_revoked", "agent_frozen", "budget_threshold", "would_revoke", "revocations_held_back"])
      expect(shown([alert({ ...threshold, rule, status: "resolved", severity: "critical" })])).toEqual([]);
    expect(shown([alert({ ...threshold, rule: "revocation_failed", subject: `session:${ID}` })])).toEqual([]);
  });
});

test.each([40, 60, 80, 100, 128])("no line wraps on a terminal of %i columns, whatever strangers write", (columns) => {
  const events = [
    alert(exposure),
    action(revoked),
    action(frozen),
    action({ ...revoked, target: HOSTILE.repeat(9), agentIds: [HOSTILE], reason: HOSTILE.repeat(9) }),
    action({ ...revoked, outcome: "failed", detail: HOSTILE.repeat(9) }),
    alert(threshold),
    alert({ ...exposure, subject: `session:${HOSTILE}`, text: HOSTILE }),
    alert({ ...threshold, text: HOSTILE }),
    alert({ ...threshold, rule: HOSTILE, subject: HOSTILE, severity: "critical" }),
  ];
  for (const line of shown(events, { ...TERMINAL, columns })) {
    const plain = unpainted(line);
    expect(widthOf(plain)).toBeLessThanOrEqual(columns);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
    expect(plain).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e]/);
  }
});
