/** A day's three-way balance for whoever closes the books: the figures, whether they are equal, then all that is open. */
import type { Balance } from "@bursar/core/day-tally";
import { parsePaymentId } from "@bursar/events/ids";
import type { Reconciled } from "../reconcile.ts";
import { count, plural, shortHex, stamp, usd } from "./figures.ts";
import { figureText, signedUsd } from "./reconcile-figures.ts";
import { verdictLines } from "./reconcile-verdict.ts";
import type { Screen } from "./screen.ts";
import { driftLines } from "./session-table.ts";
import { painter, type Signs, signsOf } from "./style.ts";
import { type Cell, type Column, table } from "./table.ts";
import { safe, wrap } from "./text.ts";
import { BREAKS } from "./words.ts";

/** Rows of each list; --json has them all. */
const SHOWN = 50;
const COLUMNS_MAX = 100;
/** Where the lines of a section begin. */
const INDENT = 11;

/** `directory` where no machine runs. */
export function reconcileLines(found: Reconciled, directory: string | null, screen: Screen): string[] {
  const paint = painter(screen);
  const width = Math.min(screen.columns, COLUMNS_MAX);
  const source = directory === null ? "" : `, read from ${safe(directory)} (no machine runs)`;
  const section = (title: string, lines: readonly string[]): string[] =>
    lines
      .flatMap((line) => wrap(line, width - INDENT))
      .map((line, i) => `${(i === 0 ? title : "").padEnd(INDENT)}${line}`);
  return [
    ...wrap(`${found.day} (UTC)${scopeText(found)}${source}`, width).map((line) => paint("bold", line)),
    "",
    ...balanceTable(found, screen),
    "",
    ...verdictLines(found, screen, width),
    "",
    ...section("stories", storyLines(found)),
    ...section("breaks", breakLines(found)),
    ...section("held", heldLines(found)),
    ...section("AgentCore", driftSummary(found, screen)),
    ...section("counters", counterLines(found)),
  ];
}

function scopeText({ chain }: Reconciled): string {
  if (chain === null) return ": books and stories only";
  const { blocks, endAt, isOver, unread } = chain;
  if (blocks === null) return unread > 0 ? ": nothing of it is read yet" : ": the chain has no block of it";
  const range = `blocks ${count(blocks.from)} to ${count(blocks.to)}`;
  return isOver && unread === 0
    ? `, the whole day: ${range}`
    : `, so far: ${range}, to ${safe(endAt?.slice(11, 19) ?? "")}`;
}

const COLUMNS: readonly Column[] = [
  { title: "WALLET" },
  { title: "AGENT", min: 6 },
  { title: "AGENT SAYS", align: "right" },
  { title: "API SAYS", align: "right" },
  { title: "CHAIN", align: "right" },
  { title: "BOOKS", align: "right" },
  { title: "CHAIN - BOOKS", align: "right" },
];

function balanceTable({ wallets, agents, total }: Reconciled, screen: Screen): string[] {
  const signs = signsOf(screen);
  const moved = wallets.filter(isMoved);
  // Those that differ are never among what is left out.
  const rows = [...moved].sort((a, b) => Number(isApart(b)) - Number(isApart(a))).slice(0, SHOWN);
  const hidden = moved.length - rows.length;
  const still = wallets.length - moved.length;
  const lines = table(
    COLUMNS,
    [
      ...rows.map((row) => [
        shortHex(row.wallet, signs),
        row.agentIds.join(", ") || signs.silent,
        ...cellsOf(row, signs),
      ]),
      // An agent with one wallet has its line already.
      ...agents
        .filter(({ agentId }) => moved.filter(({ agentIds }) => agentIds.includes(agentId)).length > 1)
        .slice(0, SHOWN)
        .map((row) => ["agent", row.agentId, ...cellsOf(row, signs)]),
      ["total", plural(total.books.count, "payment"), ...cellsOf(total, signs)],
    ],
    screen,
  );
  const paint = painter(screen);
  return [
    ...lines,
    ...(hidden > 0 ? [paint("dim", `and ${plural(hidden, "wallet")} more: --json has them all`)] : []),
    ...(still > 0 ? [paint("dim", `${plural(still, "wallet")} without a payment`)] : []),
  ];
}

const isMoved = ({ agent, api, chain, books, held }: Balance): boolean =>
  [agent, api, chain, books, held].some((figure) => figure !== null && figure.count > 0);
const isApart = ({ difference, chain, books }: Balance): boolean =>
  difference !== null && (difference !== "0" || chain?.count !== books.count);

function cellsOf(balance: Balance, { silent }: Signs): Cell[] {
  const { agent, api, chain, books, difference } = balance;
  const apart: Cell =
    difference === null
      ? silent
      : isApart(balance)
        ? { text: signedUsd(difference), color: "red" }
        : { text: "equal", color: "green" };
  return [usd(agent.amount), usd(api.amount), chain === null ? silent : usd(chain.amount), usd(books.amount), apart];
}

function storyLines({ total, outsiders, saidOtherwise }: Reconciled): string[] {
  const unpaid = saidOtherwise.filter(({ booked }) => booked === null);
  const other = saidOtherwise.filter(({ booked }) => booked !== null);
  const { agentSilent, apiSilent, elsewhere } = total;
  const open = [
    ...(agentSilent.count === 0 ? [] : [`Agents have told nothing of ${figureText(agentSilent)}.`]),
    ...(apiSilent.count === 0 ? [] : [`Your APIs have told nothing of ${figureText(apiSilent)}.`]),
    ...(other.length === 0
      ? []
      : [
          `Another amount is told than was settled: ${plural(other.length, "payment")}, such as ${nameOf(other[0]?.id)}.`,
        ]),
    ...(unpaid.length === 0
      ? []
      : [`Said to be paid, and not settled: ${plural(unpaid.length, "payment")}, such as ${nameOf(unpaid[0]?.id)}.`]),
  ];
  return [
    ...(open.length === 0
      ? ["Everybody who should tell has told."]
      : [...open, "See: bursar payments --verdict break"]),
    ...(elsewhere.count === 0 ? [] : [`Paid to others than your APIs, who do not report: ${figureText(elsewhere)}.`]),
    ...(outsiders.count === 0 ? [] : [`Paid to your APIs by wallets that nobody governs: ${figureText(outsiders)}.`]),
  ];
}

/** How one finds it again: the beginning of its nonce. */
function nameOf(id = ""): string {
  const key = parsePaymentId(id);
  return safe(key?.method === "eip3009" ? key.nonce.slice(0, 10) : id);
}

function breakLines({ breaks }: Reconciled): string[] {
  if (breaks.length === 0) return ["None."];
  return breaks.map(({ rule, ...figure }) => `${BREAKS[rule].name}: ${figureText(figure)}`);
}

function heldLines({ total, heldUntil }: Reconciled): string[] {
  if (total.held.count === 0) return ["Nothing that was signed that day is still open."];
  const until = heldUntil === null ? "" : ` until ${stamp(heldUntil)}`;
  return [`${figureText(total.held)}: signed that day, and may still settle${until}. It counts on the day it settles.`];
}

function driftSummary({ agentCore: { sessions, drifts } }: Reconciled, screen: Screen): string[] {
  if (sessions === 0) return ["It has shown no figures for a session of that day."];
  if (drifts.length === 0) return [`It counts as the books do, in ${plural(sessions, "session")}.`];
  const sum = drifts.reduce((all, { drift }) => all + BigInt(drift ?? 0), 0n);
  const rest = drifts.length - SHOWN;
  return [
    `It counts otherwise in ${count(drifts.length)} of ${plural(sessions, "session")}, ${signedUsd(sum)} in all:`,
    ...driftLines(drifts.slice(0, SHOWN), screen),
    ...(rest > 0 ? [`and ${plural(rest, "session")} more: --json has them all`] : []),
  ];
}

function counterLines({ counters: { checked, wrong } }: Reconciled): string[] {
  if (wrong.length === 0)
    return [`${plural(checked, "counter")} of agents and organisation, each the sum of its payments.`];
  return [
    ...wrong
      .slice(0, SHOWN)
      .map(
        ({ counter, kept, counted }) =>
          `${safe(counter.replaceAll("|", " "))}: ${usd(kept)} kept, ${usd(counted)} counted`,
      ),
    "Budgets are judged by what is kept. See: bursar recount",
  ];
}
