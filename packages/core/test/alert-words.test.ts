/** Every rule that the code can raise has words, and every message keeps the limits of where it goes. */
import { readdirSync, readFileSync } from "node:fs";
import { alertNotice } from "@bursar/events/alert-notice";
import { describe, expect, test } from "vitest";
import { attributesOf } from "../src/alert-attributes.ts";
import { MAIL_COLUMNS, SUBJECT_MAX, subjectOf, textOf } from "../src/alert-mail.ts";
import { noticeOf } from "../src/alert-notice.ts";
import { ALERT_RULES } from "../src/alert-rules.ts";
import type { AlertChange, KeptAlert } from "../src/alert-shape.ts";
import { hasWords } from "../src/alert-words.ts";
import { OWN_RULES } from "../src/rule-names.ts";
import { EXAMPLES, exampleOf, NOW, OPENED_AT } from "./alert-examples.ts";

const context = { org: "acme", now: NOW, chainId: 42161 };
const CHANGES: readonly AlertChange[] = ["opened", "escalated", "acknowledged", "resolved", "reopened"];
const opened = (alert: KeptAlert) => noticeOf({ alert, change: "opened" }, context);

/** Rules as the sources write them: `rule: "x"`, `about(..., "x"`, the rules of wallets. */
function rulesInSources(): string[] {
  const rules = new Set<string>();
  for (const directory of ["../src", "../../cli/src"]) {
    const at = new URL(`${directory}/`, import.meta.url);
    for (const name of readdirSync(at).filter((file) => file.endsWith(".ts"))) {
      const text = readFileSync(new URL(name, at), "utf8");
      for (const [, rule] of text.matchAll(/\brule: "([a-z_]+)"/g)) rules.add(rule as string);
      for (const [, rule] of text.matchAll(/\babout\(\s*(?:kept,\s*)?"([a-z_]+)"/g)) rules.add(rule as string);
      for (const [, list = ""] of text.matchAll(/_RULES = \[([^\]]+)\]/g))
        for (const [, rule] of list.matchAll(/"([a-z_]+)"/g)) rules.add(rule as string);
      for (const [, rule] of text.matchAll(/\? \["([a-z_]+)", `agent:/g)) rules.add(rule as string);
    }
  }
  return [...rules].sort();
}

describe("every rule", () => {
  test("that the sources raise has words", () => {
    const rules = rulesInSources();
    expect(rules.length).toBeGreaterThan(20);
    expect(rules).toContain("long_authorization");
    expect(rules).toContain("agent_frozen");
    expect(rules.filter((rule) => !hasWords(rule))).toEqual([]);
  });

  test("that the table of severities knows has words", () => {
    expect(Object.keys(ALERT_RULES).filter((rule) => !hasWords(rule))).toEqual([]);
  });

  test("has an example among the golden messages", () => {
    expect(EXAMPLES.map(({ rule }) => rule).filter((rule) => !hasWords(rule))).toEqual([]);
    expect(new Set(EXAMPLES.map(({ rule }) => rule)).size).toBe(16 + OWN_RULES.length);
  });

  test("of a later version is told by its name", () => {
    const notice = opened({ ...exampleOf("large_payment"), rule: "moon_phase" });
    expect(subjectOf(notice)).toBe("[warning] trader: moon phase");
    expect(alertNotice.parse(notice)).toEqual(notice);
    expect(subjectOf(opened({ ...exampleOf("large_payment"), rule: "__proto__" }))).toBe("[warning] trader: unknown");
  });
});

const MOVES = EXAMPLES.flatMap((alert) => CHANGES.map((change) => [alert.rule, change, alert] as const));

describe("every message", () => {
  test.each(MOVES)("%s, %s: says something, in plain sentences", (_, change, alert) => {
    const notice = noticeOf({ alert: { ...alert, count: 12 }, change }, context);
    expect(alertNotice.parse(notice)).toEqual(notice);
    const own = [notice.title, notice.what, notice.who, ...notice.did, ...notice.todo.map(({ text }) => text)];
    for (const text of own) {
      expect(text).toMatch(/^[ -~]+$/);
      expect(text).not.toMatch(/!|undefined|null|NaN|\[object|\b1 payments|\s{2}/);
    }
    for (const text of [notice.what, ...notice.did, ...notice.todo.map((todo) => todo.text)])
      expect(text).toMatch(/\.$/);
    expect(notice.todo.length).toBeGreaterThan(0);
    expect(subjectOf(notice).length).toBeLessThanOrEqual(SUBJECT_MAX);
    expect(subjectOf(notice)).not.toMatch(/\.\.\.$/);
  });

  test.each(MOVES)("%s, %s: no line is longer than 78 columns, but for links and long names", (_, change, alert) => {
    const text = textOf(noticeOf({ alert, change }, context));
    const long = text.split("\n").filter((line) => line.length > MAIL_COLUMNS);
    for (const line of long) expect(line.trim()).not.toContain(" ");
  });
});

describe("the subject line", () => {
  test("is as the design writes it", () => {
    expect(subjectOf(opened(exampleOf("session_revoked")))).toBe(
      "[critical] gambler: session revoked at 102 % of gambler-day",
    );
  });

  test("says what has become of it", () => {
    const alert = { ...exampleOf("wallet_low"), count: 100, step: 2 };
    const subject = (change: AlertChange) => subjectOf(noticeOf({ alert, change }, context));
    const rest = "research: wallet 0x52ab...8394 is low ($0.40)";
    expect(CHANGES.map(subject)).toEqual([
      `[warning] ${rest}`,
      `[warning] 100 times: ${rest}`,
      `[acknowledged] ${rest}`,
      `[resolved] ${rest}`,
      `[warning] again: ${rest}`,
    ]);
  });

  test("holds the longest names that there are", () => {
    const alert: KeptAlert = { ...exampleOf("session_revoked"), agentId: "a".repeat(128) };
    const subject = subjectOf(opened(alert));
    expect(subject.length).toBeLessThanOrEqual(SUBJECT_MAX);
    expect(subject).toMatch(/session revoked at 102 % of gambler-day$/);
  });
});

describe("what ended an alert", () => {
  const alert: KeptAlert = { ...exampleOf("budget_threshold"), status: "resolved" };
  const ended = (more: Partial<KeptAlert>) =>
    noticeOf({ alert: { ...alert, ...more }, change: "resolved" }, context).ended;

  test("is what is said of its end", () => {
    expect(ended({ text: "the budget is gone" })).toBe("the budget is gone");
  });

  test("is its time where that is over, and unknown where nothing is said", () => {
    const until = "2026-11-21T00:00:00.000Z";
    expect(ended({ until, updatedAt: until })).toBe("its time was over at 2026-11-21 00:00:00 UTC");
    expect(ended({ until, updatedAt: OPENED_AT })).toBeNull();
  });

  test("stands in no message of one that is open", () => {
    expect(opened(exampleOf("wallet_low")).ended).toBeNull();
  });
});

describe("figures", () => {
  test("a budget's figure is the last in its sentence, whatever a label says before", () => {
    const text = "team-day: label:t=x is at 1 % of $9.00 ($0.09) is at 80 % of $5.00 ($4.00)";
    const alert = { ...exampleOf("budget_threshold"), samples: [{ at: OPENED_AT, text }] };
    expect(opened(alert).much).toBe("$4.00 spent and held of $5.00, which is 80 %");
  });

  test("are not read from what agents wrote", () => {
    const text = "gambler-day: agent:gambler is at 999 % of $5.00 ($49.95)";
    const alert = { ...exampleOf("session_expired"), samples: [{ at: OPENED_AT, text }], amount: null };
    expect(opened(alert).much).toBeNull();
  });

  test("a budget of nothing, and one raised, have commands that make sense", () => {
    const text = "gambler-day: agent:gambler is at all of $0.00 ($0.01)";
    const notice = opened({ ...exampleOf("session_revoked"), samples: [{ at: OPENED_AT, text }] });
    expect(notice.title).toBe("gambler: session revoked at the limit of gambler-day");
    expect(notice.todo.map(({ command }) => command)).toContain(
      "bursar budgets raise gambler-day --to USD --until +2h --reason WHY",
    );
  });
});

describe("links", () => {
  const urls = (alert: KeptAlert, chainId = 42161) =>
    noticeOf({ alert, change: "opened" }, { ...context, chainId }).links.map(({ url }) => url);

  test("of a wallet on Sepolia lead to Sepolia; on a chain that nobody knows there are none", () => {
    const alert = exampleOf("wallet_empty");
    expect(urls(alert, 421614)[0]).toMatch(/^https:\/\/sepolia\.arbiscan\.io\/address\/0x52ab/);
    expect(urls(alert, 1)).toEqual([]);
  });

  test("of a session with its manager lead to that region's console, and of no made-up region", () => {
    const at = (subject: string) =>
      urls({ ...exampleOf("session_revoked"), subject, id: `session_revoked/${subject}/-` });
    const arn = (region: string) => `arn:aws:bedrock-agentcore:${region}:123456789012:payment-manager/pm-1`;
    expect(at(`session:${arn("eu-central-1")}/s-1`)).toEqual([
      "https://eu-central-1.console.aws.amazon.com/bedrock-agentcore/home?region=eu-central-1",
    ]);
    for (const bad of ["evil.com/", "us-east-1.evil", "x", "EU-CENTRAL-1", "us-east-1#"])
      expect(at(`session:${arn(bad)}/s-1`)).toEqual([]);
  });
});

test("attributes: what is over or seen is info, whatever it was", () => {
  const of = (change: AlertChange) => attributesOf(noticeOf({ alert: exampleOf("session_revoked"), change }, context));
  expect(of("opened")).toEqual({
    severity: "critical",
    rule: "session_revoked",
    subject: "session:payment-session-91",
    agentId: "gambler",
  });
  expect(of("resolved").severity).toBe("info");
  expect(of("acknowledged").severity).toBe("info");
  expect(of("reopened").severity).toBe("critical");
});
