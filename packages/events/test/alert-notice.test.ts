/** `alert.v1` as JSON Schema: what is written down is what the code generates, and says what the code checks. */
import { readFileSync } from "node:fs";
import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, test } from "vitest";
import { type AlertNotice, alertNotice, alertNoticeSchema } from "../src/alert-notice.ts";

const checkedIn = JSON.parse(readFileSync(new URL("../schema/alert.v1.json", import.meta.url), "utf8")) as object;
const validate = new Ajv2020({ strict: true, strictTypes: false, formats: { uri: true } }).compile(checkedIn);

const notice: AlertNotice = {
  version: 1,
  id: "wallet_low/wallet:0x52ab6f9c6b6f8f6d0e1b7c3a9d2e4f5061728394/-",
  rule: "wallet_low",
  subject: "wallet:0x52ab6f9c6b6f8f6d0e1b7c3a9d2e4f5061728394",
  agentId: "research",
  severity: "warning",
  status: "open",
  change: "opened",
  count: 1,
  step: 0,
  reopened: 0,
  at: "2026-11-20T12:04:13.500Z",
  openedAt: "2026-11-20T12:00:11.200Z",
  updatedAt: "2026-11-20T12:00:11.200Z",
  since: "2026-11-20T12:00:11.200Z",
  until: null,
  org: "acme",
  stage: null,
  title: "research: wallet 0x52ab...8394 is low ($0.40)",
  what: "The wallet holds less than is set as low.",
  who: "wallet 0x52ab6f9c6b6f8f6d0e1b7c3a9d2e4f5061728394 of agent research",
  amount: "400000",
  much: "$0.40 in the wallet",
  did: [],
  todo: [{ text: "See all wallets.", command: "bursar wallets" }],
  links: [
    {
      label: "The wallet on Arbiscan",
      url: "https://arbiscan.io/address/0x52ab6f9c6b6f8f6d0e1b7c3a9d2e4f5061728394",
    },
  ],
  samples: [{ at: "2026-11-20T12:00:11.200Z", text: "it holds $0.40" }],
  ended: null,
  note: null,
};

const both = (value: unknown): [schema: boolean, code: boolean] => [
  validate(value),
  alertNotice.safeParse(value).success,
];

test("what is checked in is what the code generates: else run `npm run schema`", () => {
  expect(checkedIn).toEqual(JSON.parse(JSON.stringify(alertNoticeSchema())));
});

describe("schema and code agree", () => {
  test("on a message, and on one of a later version with further fields", () => {
    expect(both(notice)).toEqual([true, true]);
    expect(both({ ...notice, mood: "calm", todo: [{ text: "x", urgent: true }] })).toEqual([true, true]);
  });

  test.each(Object.keys(notice).map((field) => [field]))("that %s must be there", (field) => {
    const { [field as keyof AlertNotice]: _, ...rest } = notice;
    expect(both(rest)).toEqual([false, false]);
  });

  test.each([
    ["another version", { version: 2 }],
    ["a severity of its own", { severity: "mild" }],
    ["an amount with a point", { amount: "0.40" }],
    ["a time without milliseconds", { openedAt: "2026-11-20T12:00:11Z" }],
    ["eleven samples", { samples: Array(11).fill(notice.samples[0]) }],
    ["a text of 257 characters from somebody", { note: "x".repeat(257) }],
  ])("to refuse %s", (_, more) => {
    expect(both({ ...notice, ...more })).toEqual([false, false]);
  });
});
