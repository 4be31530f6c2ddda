/** A day's balance as it is shown: every trouble at once, none at all, and what strangers may have put into it. */
import type { Balance, Figure } from "@bursar/core/day-tally";
import type { Difference } from "@bursar/core/differences";
import type { Session } from "@bursar/events/shapes";
import { clean } from "@bursar/events/text";
import { expect, test } from "vitest";
import type { Reconciled } from "../src/reconcile.ts";
import { reconcileLines } from "../src/terminal/reconcile-lines.ts";
import { unpainted, widthOf } from "../src/terminal/text.ts";
import { HOSTILE, matched, PLAIN, TERMINAL } from "./samples.ts";

const none: Figure = { count: 0, amount: "0" };
const figure = (count: number, amount: string): Figure => ({ count, amount });
const quiet: Balance = {
  ...{ agent: none, api: none, chain: none, books: none, difference: "0" },
  ...{ agentSilent: none, apiSilent: none, elsewhere: none, held: none },
};
const all = figure(2, "3000000");
const balance: Balance = { ...quiet, agent: all, api: all, chain: all, books: all };
const wallet = matched.payer as string;
const other = `0x${"b".repeat(40)}`;
const usdc = { opening: "9000000", incoming: "0", outgoing: "3000000", closing: "6000000", unexplained: "0" };
const research = { wallet, agentIds: ["research"], ...balance, usdc };
const still = { wallet: other, agentIds: ["research"], ...quiet, usdc: { ...usdc, outgoing: "0", closing: "9000000" } };
const equal: Reconciled = {
  day: "2026-11-20",
  chain: {
    ...{ blocks: { from: 1_000_000, to: 1_345_599 }, endAt: "2026-11-20T23:59:59.000Z", isOver: true, unread: 0 },
    unproved: null,
  },
  wallets: [research, still],
  agents: [{ agentId: "research", ...balance }],
  total: balance,
  after: none,
  outsiders: none,
  differences: [],
  saidOtherwise: [],
  breaks: [],
  heldUntil: null,
  counters: { checked: 2, wrong: [] },
  agentCore: { sessions: 1, drifts: [] },
  equal: true,
  notAsked: null,
  chainFailed: false,
};
const difference: Difference = {
  ...{ kind: "missing_in_books", id: matched.id, wallet, agentIds: ["research"], chain: "10000", books: null },
  ...{ at: "2026-11-20T10:00:02.000Z", blockNumber: 1_100_000, txHash: matched.txHashes[0] ?? null, table: null },
};
const session = { id: "session-1", drift: "250000", driftCause: "signed and never settled" } as Session;
const shown = (found: Reconciled, directory: string | null = null): string =>
  reconcileLines(found, directory, PLAIN).join("\n");

test("a day on which all is well", () => {
  expect(shown(equal)).toMatchInlineSnapshot(`
    "2026-11-20 (UTC), the whole day: blocks 1,000,000 to 1,345,599

    WALLET       AGENT       AGENT SAYS  API SAYS  CHAIN  BOOKS  CHAIN - BOOKS
    0xe3ce…4766  research         $3.00     $3.00  $3.00  $3.00          equal
    total        2 payments       $3.00     $3.00  $3.00  $3.00          equal
    1 wallet without a payment

    Chain and books are equal to the unit: 2 payments, $3.00.
    USDC's own balances agree for each wallet: $18.00 + $0.00 in - $3.00 out = $15.00.

    stories    Everybody who should tell has told.
    breaks     None.
    held       Nothing that was signed that day is still open.
    AgentCore  It counts as the books do, in 1 session.
    counters   2 counters of agents and organisation, each the sum of its payments."
  `);
});

test("a day on which nothing is", () => {
  const found: Reconciled = {
    ...equal,
    chain: { ...(equal.chain as NonNullable<Reconciled["chain"]>), unread: 12 },
    wallets: [
      { ...research, chain: figure(3, "3010000"), difference: "10000" },
      { ...still, ...balance, usdc: { ...usdc, closing: "5999999", unexplained: "-1" } },
    ],
    total: {
      ...balance,
      ...{ chain: figure(5, "6010000"), books: figure(4, "6000000"), difference: "10000" },
      ...{ agentSilent: figure(1, "10000"), apiSilent: figure(2, "20000"), elsewhere: figure(3, "30000") },
      held: figure(1, "500000"),
    },
    after: figure(1, "70000"),
    outsiders: figure(4, "40000"),
    differences: [
      difference,
      { ...difference, kind: "missing_on_chain", chain: null, books: "10000" },
      { ...difference, kind: "amount", books: "9999" },
      { ...difference, kind: "another_day", table: { state: "final", bookedAt: "2026-11-21T00:00:01.000Z" } },
      { ...difference, table: { state: "signed", bookedAt: null } },
    ],
    saidOtherwise: [
      { ...{ id: matched.id, wallet, agentIds: ["research"], state: "final" }, agent: "1", api: null, booked: "2" },
      { ...{ id: matched.id, wallet, agentIds: ["research"], state: "signed" }, agent: "1", api: null, booked: null },
    ],
    breaks: [{ rule: "shadow_spend", ...figure(1, "10000") }],
    heldUntil: "2026-11-20T12:01:11.000Z",
    counters: {
      checked: 2,
      wrong: [{ counter: "spent|org:acme|day|2026-11-20T00:00:00.000Z", kept: "5", counted: "6" }],
    },
    agentCore: { sessions: 3, drifts: [session] },
    equal: false,
  };
  expect(shown(found)).toMatchInlineSnapshot(`
    "2026-11-20 (UTC), so far: blocks 1,000,000 to 1,345,599, to 23:59:59

    WALLET       AGENT       AGENT SAYS  API SAYS  CHAIN  BOOKS  CHAIN - BOOKS
    0xe3ce…4766  research         $3.00     $3.00  $3.01  $3.00         +$0.01
    0xbbbb…bbbb  research         $3.00     $3.00  $3.00  $3.00          equal
    agent        research         $3.00     $3.00  $3.00  $3.00          equal
    total        4 payments       $3.00     $3.00  $6.01  $6.00         +$0.01

    Chain and books differ in 5 payments.

    DIFFERENCE        PAYMENT      AGENT     BLOCK TIME           CHAIN       BOOKS
    not in the books  0x3619…28ce  research  2026-11-20 10:00:02  $0.01           –
    not on the chain  0x3619…28ce  research  2026-11-20 10:00:02      –       $0.01
    other amount      0x3619…28ce  research  2026-11-20 10:00:02  $0.01   $0.009999
    another day       0x3619…28ce  research  2026-11-20 10:00:02  $0.01  2026-11-21
    not in the books  0x3619…28ce  research  2026-11-20 10:00:02  $0.01      signed

    Not in the books: USDC left a governed wallet and Bursar has not counted it; most likely it was not
    running, or did not know the wallet, at the time. Read the chain again from there: bursar backfill
    --from 1100000
    Not on the chain: the books have a settlement that the chain does not show. Look at it: bursar
    payment ID. If it stays, the store was changed by somebody else, or this is a fault in Bursar.
    Other amount: the chain is right. No event can cause this: the store was changed by somebody else,
    or this is a fault in Bursar.
    Another day: chain and books have it in different days. Reconcile the other day too before you close
    either.
    USDC's own balances do not agree for 1 wallet:
    0xbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb: $9.00 + $0.00 in - $3.00 out is not $5.999999
    (-$0.000001)
    The node has left something out: ask another one (chains[0].rpcUrls).
    12 blocks of the day are not read yet, so that the day is not complete. A running machine reads
    them; ask again then.
    Booked since then, and not compared: 1 payment, $0.07.

    stories    Agents have told nothing of 1 payment, $0.01.
               Your APIs have told nothing of 2 payments, $0.02.
               Another amount is told than was settled: 1 payment, such as 0x36195cf7.
               Said to be paid, and not settled: 1 payment, such as 0x36195cf7.
               See: bursar payments --verdict break
               Paid to others than your APIs, who do not report: 3 payments, $0.03.
               Paid to your APIs by wallets that nobody governs: 4 payments, $0.04.
    breaks     shadow spend: 1 payment, $0.01
    held       1 payment, $0.50: signed that day, and may still settle until 2026-11-20 12:01:11. It
               counts on the day it settles.
    AgentCore  It counts otherwise in 1 of 3 sessions, +$0.25 in all:
               session-1: AgentCore has counted $0.25 more than the books
               signed and never settled
    counters   spent org:acme day 2026-11-20T00:00:00.000Z: $0.000005 kept, $0.000006 counted
               Budgets are judged by what is kept. See: bursar recount"
  `);
});

test("a day of which the chain was not asked, or cannot prove its balances", () => {
  const unasked = shown({ ...equal, chain: null, equal: null, notAsked: "no RPC URL" }, ".bursar");
  expect(unasked).toContain("2026-11-20 (UTC): books and stories only, read from .bursar (no machine runs)");
  expect(unasked).toContain("The chain was not asked, so that nothing is proved.\nWhy: no RPC URL.");
  const failed = shown({ ...equal, chain: null, equal: null, notAsked: "RPC x: down", chainFailed: true });
  expect(failed).toContain("The chain did not answer, so that nothing is proved.\nWhy: RPC x: down.");
  const chain = { ...(equal.chain as NonNullable<Reconciled["chain"]>), unproved: "RPC x: missing trie node" };
  expect(shown({ ...equal, chain })).toContain(
    "Not provable by USDC's own balances, which takes an archive node: RPC x: missing trie node",
  );
});

test("whatever strangers wrote moves no cursor, and no line is wider than the screen", () => {
  const hostile: Reconciled = {
    ...equal,
    chain: { ...(equal.chain as NonNullable<Reconciled["chain"]>), unproved: HOSTILE },
    wallets: [{ ...research, agentIds: [HOSTILE, "x".repeat(200)] }],
    differences: [{ ...difference, agentIds: [HOSTILE] }],
    agentCore: { sessions: 1, drifts: [{ ...session, id: HOSTILE, driftCause: HOSTILE }] },
    counters: { checked: 1, wrong: [{ counter: `spent|agent:${HOSTILE}|day|`, kept: "1", counted: "2" }] },
  };
  for (const line of reconcileLines(hostile, HOSTILE, TERMINAL)) {
    const plain = unpainted(line);
    expect(plain).toBe(clean(plain, 10_000));
    expect(widthOf(plain)).toBeLessThanOrEqual(TERMINAL.columns);
  }
});
