/**
 * What people and programs get of every rule and of every change, as files to be read in fixtures/alerts: *.txt as mail,
 * *.json as Slack's blocks, as Amazon Q's notification and as `alert.v1`. `npx vitest run FILE --update` writes them anew.
 */
import { alertNotice } from "@bursar/events/alert-notice";
import { describe, expect, test } from "vitest";
import { attributesOf } from "../src/alert-attributes.ts";
import { chatNoticeOf } from "../src/alert-chat.ts";
import { subjectOf, textOf } from "../src/alert-mail.ts";
import { noticeOf } from "../src/alert-notice.ts";
import type { AlertMove, KeptAlert } from "../src/alert-shape.ts";
import { blocksOf } from "../src/alert-slack.ts";
import { EXAMPLES, exampleOf, NOW } from "./alert-examples.ts";

const context = { org: "acme", now: NOW, chainId: 42161 };

const shown = (move: AlertMove, stage?: string) => {
  const notice = noticeOf(move, { ...context, stage });
  return { notice, mail: `Subject: ${subjectOf(notice)}\n\n${textOf(notice)}` };
};

const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

async function expectGolden(name: string, { notice, mail }: ReturnType<typeof shown>): Promise<void> {
  expect(() => alertNotice.parse(notice)).not.toThrow();
  await expect(mail).toMatchFileSnapshot(`fixtures/alerts/${name}.txt`);
  const others = {
    attributes: attributesOf(notice),
    notice,
    slack: blocksOf(notice),
    chat: chatNoticeOf(notice),
  };
  await expect(json(others)).toMatchFileSnapshot(`fixtures/alerts/${name}.json`);
}

describe("an alert that opens", () => {
  test.each(EXAMPLES.map((alert) => [alert.rule, alert] as const))("%s", async (rule, alert) => {
    await expectGolden(`opened-${rule}`, shown({ alert, change: "opened" }));
  });
});

const LATER = "2026-11-20T14:04:11.200Z";

const CHANGES: readonly (readonly [string, AlertMove])[] = [
  [
    "escalated",
    {
      change: "escalated",
      alert: { ...exampleOf("unreported_by_agent"), count: 1000, step: 3, updatedAt: LATER, amount: "10000000" },
    },
  ],
  [
    "acknowledged",
    {
      change: "acknowledged",
      alert: {
        ...exampleOf("wallet_low"),
        status: "acknowledged",
        updatedAt: LATER,
        acknowledged: { at: LATER, note: "refill is under way, Ana" },
      },
    },
  ],
  [
    "resolved-exposure",
    { change: "resolved", alert: over(exampleOf("exposure"), "the chain has closed all that was signed in it") },
  ],
  [
    "resolved-wallet_empty",
    {
      change: "resolved",
      alert: over(exampleOf("wallet_empty"), "wallet 0x52ab… of research was refilled: it holds $5.00"),
    },
  ],
  [
    "resolved-break",
    {
      change: "resolved",
      alert: over({ ...exampleOf("paid_not_delivered"), count: 12, step: 1 }, "all 12 have healed"),
    },
  ],
  [
    "reopened",
    { change: "reopened", alert: { ...exampleOf("wallet_low"), reopened: 2, openedAt: LATER, updatedAt: LATER } },
  ],
];

function over(alert: KeptAlert, text: string): KeptAlert {
  return { ...alert, status: "resolved", updatedAt: LATER, text };
}

describe("an alert that changes", () => {
  test.each(CHANGES)("%s", async (name, move) => {
    const notice = noticeOf(move, { ...context, now: LATER });
    await expectGolden(`changed-${name}`, { notice, mail: `Subject: ${subjectOf(notice)}\n\n${textOf(notice)}` });
  });

  test("commands of a stage name it", async () => {
    await expectGolden("stage", shown({ alert: exampleOf("session_revoked"), change: "opened" }, "prod"));
  });
});
