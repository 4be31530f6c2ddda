/** Wallets on a terminal: the table of `bursar wallets`, and the lines of the feed. */
import type { Wallet } from "@bursar/events/shapes";
import { describe, expect, test } from "vitest";
import { createFeedLines } from "../src/terminal/feed-lines.ts";
import { widthOf } from "../src/terminal/text.ts";
import { walletLines } from "../src/terminal/wallet-table.ts";
import { HOSTILE, PLAIN, TERMINAL } from "./samples.ts";

const NOW = "2026-11-20T10:00:12.000Z";
const wallet: Wallet = {
  address: `0x${"a1".repeat(20)}`,
  agentIds: ["research"],
  chainId: 42161,
  asset: "0xaf88d065e77c8cc2239327c5edb3a432268e5831",
  balance: "12340000",
  status: "ok",
  runwaySeconds: 11_400,
  updatedAt: "2026-11-20T10:00:05.000Z",
};
const unread: Wallet = { ...wallet, balance: null, status: "unknown", runwaySeconds: null, updatedAt: null };

describe("bursar wallets", () => {
  test("shows what each holds, how it stands, how long it lasts and when it was read", () => {
    const wallets: Wallet[] = [
      wallet,
      { ...wallet, address: `0x${"b2".repeat(20)}`, agentIds: ["trader"], balance: "0", status: "empty" },
      { ...wallet, address: `0x${"c3".repeat(20)}`, agentIds: ["a", "b"], blocked: "blacklisted" },
      { ...unread, address: `0x${"d4".repeat(20)}`, agentIds: [] },
    ];
    expect(walletLines(wallets, null, NOW, PLAIN).join("\n")).toMatchInlineSnapshot(`
      "ADDRESS                                     AGENT     BALANCE  STATUS       LASTS       READ
      0xa1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1  research   $12.34  ok           3 h 10 min  10:00:05
      0xb2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2  trader      $0.00  empty        –           10:00:05
      0xc3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3  a, b       $12.34  blacklisted  –           10:00:05
      0xd4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4  –               –  unknown      –           –

      0xc3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3 is blacklisted by USDC's issuer: it can neither pay nor
      be paid.

      LASTS is at the burn of the last hour.
      unknown: its balance was not read yet; that takes a chain to watch (bursar doctor)."
    `);
  });

  test("says that the token is paused once, and where it was read from when no machine runs", () => {
    const lines = walletLines(
      [
        { ...wallet, blocked: "paused" },
        { ...wallet, blocked: "paused" },
      ],
      ".bursar",
      NOW,
      PLAIN,
    );
    expect(lines.filter((line) => line.includes("USDC is paused"))).toHaveLength(1);
    expect(lines.join("\n")).toContain("Read from .bursar: no machine runs");
  });
});

describe("the feed", () => {
  const lineOf = (data: Wallet, before: Pick<Wallet, "status" | "blocked"> | null, screen = PLAIN) =>
    createFeedLines()({ kind: "wallet", at: NOW, data, before }, screen);
  const low: Wallet = { ...wallet, balance: "900000", status: "low", runwaySeconds: 600 };
  const empty: Wallet = { ...wallet, balance: "0", status: "empty", runwaySeconds: 0 };

  test("tells when a wallet becomes low, empty, refilled or blacklisted", () => {
    const lines = [
      lineOf(low, { status: "ok" }),
      lineOf(empty, { status: "low" }),
      lineOf(low, { status: "empty" }),
      lineOf(wallet, { status: "low" }),
      lineOf({ ...wallet, blocked: "blacklisted" }, { status: "ok" }),
      lineOf(wallet, { status: "ok", blocked: "blacklisted" }),
      lineOf(empty, null),
    ];
    expect(lines).toMatchInlineSnapshot(`
      [
        [
          "10:00:12.0  research wallet 0xa1a1…a1a1 is low  $0.90, lasts 10 min at this burn",
        ],
        [
          "10:00:12.0  research wallet 0xa1a1…a1a1 is empty  $0.00",
        ],
        [
          "10:00:12.0  research wallet 0xa1a1…a1a1 is refilled a little  $0.90, lasts 10 min at this burn",
        ],
        [
          "10:00:12.0  research wallet 0xa1a1…a1a1 is refilled  $12.34, lasts 3 h 10 min at this burn",
        ],
        [
          "10:00:12.0  research wallet 0xa1a1…a1a1 is blacklisted by USDC's issuer  $12.34",
        ],
        [
          "10:00:12.0  research wallet 0xa1a1…a1a1 is blacklisted no more  $12.34, lasts 3 h 10 min at this burn",
        ],
        [
          "10:00:12.0  research wallet 0xa1a1…a1a1 is empty  $0.00",
        ],
      ]
    `);
  });

  test("tells of no balance alone, nor of a wallet that is well when it is first read", () => {
    expect(lineOf({ ...wallet, balance: "1" }, { status: "ok" })).toEqual([]);
    expect(lineOf(wallet, null)).toEqual([]);
    expect(lineOf(unread, { status: "ok" })).toEqual([]);
    expect(lineOf({ ...wallet, blocked: "paused" }, { status: "ok" })).toEqual([]); // its alert is one for all
  });

  test.each([40, 60, 100])("keeps to a terminal of %i columns, whatever an agent is called", (columns) => {
    for (const line of lineOf({ ...low, agentIds: [HOSTILE] }, { status: "ok" }, { ...TERMINAL, columns })) {
      // biome-ignore lint/suspicious/noControlCharactersInRegex: what paints
      expect(widthOf(line.replace(/\u001b\[[\d;]*m/g, ""))).toBeLessThanOrEqual(columns);
    }
  });
});
