/** One wallet over time: how a balance stands, what it burns, what must be told, and what left without being seen. */
import { displayUsd } from "@bursar/events/money";
import { describe, expect, test } from "vitest";
import { burnOf, burnt, noBurn, RUNWAY_S_MAX, runwayOf } from "../src/wallet-burn.ts";
import { endText, lastsText, missingCause, walletCause } from "../src/wallet-causes.ts";
import {
  explained,
  newWallet,
  released,
  rulesOf,
  statusOf,
  type WalletState,
  type WalletStatus,
  withReading,
} from "../src/wallet-state.ts";
import { untoldOf } from "../src/wallet-telling.ts";
import { at, wallet } from "./story.ts";

const LIMITS = { lowUsd: 1_000_000n, emptyUsd: 10_000n, runwayHours: 3 };
const TELLING = { chainId: 42161, limits: LIMITS };

describe("how a balance stands", () => {
  const cases: readonly [WalletStatus, bigint, WalletStatus][] = [
    ["unknown", 1_000_000n, "ok"],
    ["unknown", 999_999n, "low"],
    ["unknown", 9_999n, "empty"],
    ["unknown", 0n, "empty"],
    ["ok", 1_000_000n, "ok"],
    ["ok", 999_999n, "low"],
    ["ok", 0n, "empty"],
    ["low", 1_000_000n, "low"],
    ["low", 1_199_999n, "low"],
    ["low", 1_200_000n, "ok"],
    ["low", 10_000n, "low"],
    ["low", 9_999n, "empty"],
    ["empty", 10_000n, "empty"],
    ["empty", 19_999n, "empty"],
    ["empty", 20_000n, "low"],
    ["empty", 1_199_999n, "low"],
    ["empty", 1_200_000n, "ok"],
  ];
  test.each(cases)("one that was %s and holds %s units is %s", (before, balance, after) => {
    expect(statusOf(before, balance, LIMITS)).toBe(after);
  });

  test("without limits only nothing is empty", () => {
    const none = { lowUsd: 0n, emptyUsd: 0n, runwayHours: 0 };
    expect(statusOf("ok", 1n, none)).toBe("ok");
    expect(statusOf("ok", 0n, none)).toBe("empty");
    expect(statusOf("empty", 1n, none)).toBe("ok");
  });

  test("a balance that goes to and fro at a limit changes once", () => {
    let status: WalletStatus = "ok";
    const changes: WalletStatus[] = [];
    for (let i = 0; i < 100; i++) {
      const next = statusOf(status, i % 2 === 0 ? 999_999n : 1_000_001n, LIMITS);
      if (next !== status) changes.push(next);
      status = next;
    }
    expect(changes).toEqual(["low"]);
  });
});

describe("how long it lasts", () => {
  test("nothing spent is no runway", () => {
    expect(runwayOf(1_000_000n, noBurn(at(0)), at(3600))).toBeNull();
  });

  test("one payment in the first second is a burn of ten minutes, not of a second", () => {
    const burn = burnt(noBurn(at(0)), 500_000n, at(1), at(1));
    expect(burnOf(burn, at(1))).toEqual({ outflow: 500_000n, seconds: 600 });
    expect(runwayOf(50_000_000n, burn, at(1))).toBe(60_000);
  });

  test("the window is the last hour, by the blocks' times; what is older counts no more", () => {
    let burn = noBurn(at(-36_000));
    for (let s = 0; s <= 3600; s += 60) burn = burnt(burn, 10_000n, at(s), at(s));
    const { outflow, seconds } = burnOf(burn, at(3600));
    expect(seconds).toBeGreaterThanOrEqual(3300);
    expect(seconds).toBeLessThanOrEqual(3600);
    // One cent a minute.
    expect((Number(outflow) / seconds) * 60).toBeCloseTo(10_000, -3);
    expect(runwayOf(1_000_000n, burn, at(3600 + 3900))).toBeNull();
    expect(burnt(burn, 1n, at(0), at(7200))).toBe(burn);
    expect(burn.buckets.length).toBeLessThanOrEqual(13);
  });

  test("what is taken back burns nothing, and no more than was burnt is taken back", () => {
    const burn = burnt(burnt(noBurn(at(0)), 5n, at(1), at(1)), 7n, at(301), at(301));
    expect(burnt(burn, -5n, at(1), at(302)).buckets.map(([, amount]) => amount)).toEqual(["7"]);
    expect(burnt(burn, -9n, at(301), at(302)).buckets.map(([, amount]) => amount)).toEqual(["5"]);
  });

  test("a past that came with a backfill is not taken for a minute's burn", () => {
    const burn = burnt(noBurn(at(3000)), 600_000n, at(0), at(3000));
    expect(burnOf(burn, at(3000))).toEqual({ outflow: 600_000n, seconds: 3000 });
  });

  test("is bounded, and exact where amounts are larger than a double", () => {
    const burn = burnt(noBurn(at(0)), 1n, at(0), at(0));
    expect(runwayOf(2n ** 255n, burn, at(600))).toBe(RUNWAY_S_MAX);
    expect(runwayOf(2n ** 200n, burnt(burn, 2n ** 200n - 1n, at(1), at(1)), at(600))).toBe(600);
  });

  test.each([
    [59, "59 s"],
    [60, "1 min"],
    [11_400, "3 h 10 min"],
    [7_200, "2 h"],
    [200_000, "2 d 7 h"],
  ])("%i s reads as %s", (seconds, text) => expect(lastsText(seconds)).toBe(text));
});

/** A wallet that is read again and again. */
function story() {
  let state: WalletState = newWallet(wallet.research, ["research"], at(0));
  let block = 100;
  return {
    get state() {
      return state;
    },
    read(
      balance: bigint | null,
      seconds: number,
      more: { left?: bigint; blacklisted?: boolean; paused?: boolean } = {},
    ) {
      block += 10;
      const { left = null, blacklisted = false, paused = false } = more;
      const reading = { balance, blacklisted };
      state = withReading(state, { block, now: at(seconds), reading, paused, left }, LIMITS);
      return rulesOf(state);
    },
    spend(amount: bigint, seconds: number) {
      state = { ...state, burn: burnt(state.burn, amount, at(seconds), at(seconds)) };
    },
    hear(blockOfIt: number, amount: bigint, before: number | null = null) {
      state = explained(state, blockOfIt, amount, before);
    },
    /** What was not told, as rules that open and alerts that end; told from then on. */
    tell(seconds: number) {
      const untold = untoldOf(state, true, TELLING, at(seconds));
      if (untold === null) return [];
      state = untold.told(state);
      return [...untold.open.map(({ rule }) => `open ${rule}`), ...untold.ended.map(({ id }) => `end ${id}`)];
    },
    release: () => {
      state = released(state);
    },
  };
}

describe("what stands", () => {
  test("low and empty open as the balance falls, and end when it is refilled", () => {
    const s = story();
    expect(s.read(2_000_000n, 0)).toEqual([]);
    expect(s.read(900_000n, 10)).toEqual(["wallet_low"]);
    expect(s.read(0n, 20)).toEqual(["wallet_low", "wallet_empty"]);
    expect(s.state.standing).toEqual({ wallet_low: at(10), wallet_empty: at(20) });
    expect(s.read(50_000n, 30)).toEqual(["wallet_low"]);
    expect(s.read(1_100_000n, 40)).toEqual(["wallet_low"]);
    expect(s.read(1_200_000n, 50)).toEqual([]);
  });

  test("one that falls from enough to nothing is empty alone; a little brought in makes it low", () => {
    const s = story();
    s.read(2_000_000n, 0);
    expect(s.read(0n, 10)).toEqual(["wallet_empty"]);
    expect(s.read(100_000n, 20)).toEqual(["wallet_low"]);
  });

  test("what changed is told once, and again only when it changed again", () => {
    const s = story();
    s.read(900_000n, 0);
    expect(s.tell(0)).toEqual(["open wallet_low"]);
    s.read(800_000n, 10);
    expect(s.tell(10)).toEqual([]);
    s.read(5_000_000n, 20);
    expect(s.tell(20)).toEqual([`end wallet_low/wallet:${wallet.research}/-`]);
    expect(s.tell(30)).toEqual([]);
  });

  test("a balance that cannot be read is unknown, never zero, and ends nothing", () => {
    const s = story();
    s.read(900_000n, 0);
    expect(s.read(null, 10)).toEqual(["wallet_low"]);
    expect(s.state).toMatchObject({ status: "unknown", balance: null });
    expect(s.read(1_100_000n, 20)).toEqual(["wallet_low"]);
    expect(s.state.status).toBe("low");
  });

  test("a short runway stands until it is longer by a fifth, and never for an empty wallet", () => {
    const s = story();
    s.read(10_000_000n, 0);
    s.spend(1_000_000n, 1);
    // A dollar in ten minutes.
    expect(s.read(10_000_000n, 2)).toEqual(["wallet_runway"]);
    expect(s.state.runwaySeconds).toBe(6_000);
    expect(s.read(20_000_000n, 4)).toEqual(["wallet_runway"]); // 12,000 s: more than 3 h, less than 3.6 h
    expect(s.read(22_000_000n, 6)).toEqual([]);
    expect(s.read(2_000_000n, 8)).toEqual(["wallet_runway"]);
    expect(s.read(0n, 9)).toEqual(["wallet_empty"]);
  });

  test("a paused token blocks every wallet and is no wallet's alert; a blacklisted one has its own", () => {
    const s = story();
    expect(s.read(2_000_000n, 0, { paused: true })).toEqual([]);
    expect(s.state.blocked).toBe("paused");
    expect(s.read(2_000_000n, 10, { blacklisted: true, paused: true })).toEqual(["wallet_blacklisted"]);
    expect(s.state.blocked).toBe("blacklisted");
    expect(s.read(2_000_000n, 20)).toEqual([]);
    expect(s.state.blocked).toBeNull();
  });

  test("a wallet that is nobody's any more ends all that stood", () => {
    const s = story();
    s.read(0n, 0, { blacklisted: true });
    s.tell(0);
    s.release();
    const ended = ["wallet_empty", "wallet_blacklisted"].map((rule) => `end ${rule}/wallet:${wallet.research}/-`);
    expect(s.tell(1)).toEqual(ended);
  });
});

describe("what left unseen", () => {
  test("is told at the reading after the one that noticed it, with its amount", () => {
    const s = story();
    s.read(5_000_000n, 0);
    s.read(4_000_000n, 10, { left: 400_000n });
    expect(s.state.missing).toMatchObject([{ amount: "600000", from: 110, to: 120 }]);
    expect(s.tell(10)).toEqual([]);
    s.read(4_000_000n, 20, { left: 0n });
    expect(s.tell(20)).toEqual(["open unexplained_outflow"]);
    expect(s.tell(20)).toEqual([]);
  });

  test("is nothing when its movements are seen a moment later, and ends when they are seen much later", () => {
    const s = story();
    s.read(5_000_000n, 0);
    s.read(4_000_000n, 10, { left: 0n });
    s.hear(115, 1_000_000n);
    s.read(4_000_000n, 20, { left: 0n });
    expect(s.tell(20)).toEqual([]);
    expect(s.state.missing).toEqual([]);
    s.read(3_000_000n, 30, { left: 0n });
    s.read(3_000_000n, 40, { left: 0n });
    expect(s.tell(40)).toEqual(["open unexplained_outflow"]);
    s.hear(125, 1_000_000n); // before what is missing
    expect(s.tell(41)).toEqual([]);
    s.hear(135, 400_000n);
    s.hear(140, 600_000n);
    expect(s.tell(42)).toEqual([`end unexplained_outflow/wallet:${wallet.research}/2026-11-20`]);
  });

  test("is nothing where the next reading has as much too much: a node showed the block that it was making", () => {
    const s = story();
    s.read(5_000_000n, 0);
    s.read(4_000_000n, 10, { left: 0n }); // the payment stands in the block after the one that was read
    s.read(4_000_000n, 20, { left: 1_000_000n });
    expect(s.tell(20)).toEqual([]);
    expect(s.state.missing).toEqual([]);
    s.read(3_000_000n, 30, { left: 400_000n });
    s.read(3_200_000n, 40, { left: 0n }); // a part of it at most
    expect(s.tell(40)).toEqual(["open unexplained_outflow"]);
  });

  test("is explained by a movement that comes from a block outside, and by none that was counted in", () => {
    const s = story();
    s.read(5_000_000n, 0);
    s.read(4_000_000n, 10, { left: 0n });
    s.hear(116, 600_000n, 115);
    expect(s.state.missing).toMatchObject([{ amount: "1000000" }]);
    s.hear(116, 600_000n, 121);
    expect(s.state.missing).toMatchObject([{ amount: "400000" }]);
  });

  test("is never found where two readings cannot be compared, or more came in than went", () => {
    const s = story();
    s.read(5_000_000n, 0);
    s.read(1_000_000n, 10);
    s.read(9_000_000n, 20, { left: 500_000n });
    s.read(null, 30, { left: 0n });
    s.read(2_000_000n, 40, { left: 0n });
    expect(s.state.missing).toEqual([]);
  });
});

test("alerts say what, whose, how much, since when and what to do", () => {
  const s = story();
  s.read(10_000_000n, 0);
  s.spend(1_000_000n, 1);
  s.read(900_000n, 2);
  expect(walletCause("wallet_low", s.state, TELLING)).toMatchInlineSnapshot(`
    {
      "agentId": "research",
      "at": "2026-11-20T10:00:02.000Z",
      "period": "-",
      "rule": "wallet_low",
      "sample": "wallet 0xaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa of research holds $0.90 and is empty in 9 min at the last hour's burn: less than $1.00 (wallets.lowUsd), since 2026-11-20T10:00:02.000Z. Send it USDC. See https://arbiscan.io/address/0xaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
      "severity": "warning",
      "subject": "wallet:0xaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    }
  `);
  expect(walletCause("wallet_runway", s.state, TELLING).sample).toMatchInlineSnapshot(
    `"wallet 0xaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa of research holds $0.90 and is empty in 9 min at the last hour's burn: less than 3 h (wallets.runwayHours), since 2026-11-20T10:00:02.000Z. Send it USDC, or slow its agent down. See https://arbiscan.io/address/0xaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"`,
  );
  s.read(0n, 3, { blacklisted: true });
  expect(walletCause("wallet_empty", s.state, TELLING).sample).toMatchInlineSnapshot(
    `"wallet 0xaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa of research holds $0.00 since 2026-11-20T10:00:03.000Z: it is empty, and what it signs cannot settle. Send it USDC. See https://arbiscan.io/address/0xaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"`,
  );
  expect(walletCause("wallet_blacklisted", s.state, TELLING).sample).toMatchInlineSnapshot(
    `"wallet 0xaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa of research is blacklisted by USDC's issuer since 2026-11-20T10:00:03.000Z: it can neither pay nor be paid, and $0.00 in it cannot move. Give its agent another wallet, and ask Circle why. See https://arbiscan.io/address/0xaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"`,
  );
  s.read(50_000n, 4);
  expect(endText("wallet_empty", s.state, TELLING, true)).toMatchInlineSnapshot(
    `"wallet 0xaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa of research was refilled a little: it holds $0.05, and is low"`,
  );
  s.read(50_000_000n, 5);
  expect(endText("wallet_low", s.state, TELLING, true)).toMatchInlineSnapshot(
    `"wallet 0xaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa of research was refilled: it holds $50.00, enough from $1.20 on"`,
  );
  expect(endText("wallet_empty", s.state, TELLING, true)).toContain(displayUsd(50_000_000n));
  expect(endText("wallet_low", s.state, TELLING, false)).toMatchInlineSnapshot(
    `"wallet 0xaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa of research is not governed any more: it is in no agent's wallets"`,
  );
  const missing = { amount: "600000", from: 110, to: 120, at: at(10), toldAt: null };
  expect(missingCause(missing, s.state, TELLING).sample).toMatchInlineSnapshot(
    `"$0.60 left wallet 0xaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa of research after block 110, up to 120, by no movement that Bursar saw (noticed at 2026-11-20T10:00:10.000Z). Who moved it? If its transfers of these blocks are no news, the RPC node hides logs: add another to chains[0].rpcUrls. See https://arbiscan.io/address/0xaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"`,
  );
});
