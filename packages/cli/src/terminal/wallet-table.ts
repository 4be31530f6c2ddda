/** Wallets as a table: whose, what each holds, how long that lasts; below it what keeps one from paying. */
import type { Wallet } from "@bursar/events/shapes";
import { duration, timeText, usd } from "./figures.ts";
import type { Screen } from "./screen.ts";
import { type Color, painter, type Signs, signsOf } from "./style.ts";
import { type Cell, type Column, table } from "./table.ts";
import { wrap } from "./text.ts";

const COLUMNS: readonly Column[] = [
  { title: "ADDRESS" },
  { title: "AGENT", min: 6 },
  { title: "BALANCE", align: "right" },
  { title: "STATUS" },
  { title: "LASTS" },
  { title: "READ" },
];

/** `from` is the directory that was read where no machine runs. */
export function walletLines(wallets: readonly Wallet[], from: string | null, now: string, screen: Screen): string[] {
  const signs = signsOf(screen);
  const rows = table(
    COLUMNS,
    wallets.map((wallet) => rowOf(wallet, now, signs)),
    screen,
  );
  const paint = painter(screen);
  const width = Math.min(screen.columns, 100);
  const notes = notesOf(wallets).flatMap((note) => wrap(note, width).map((line) => paint("red", line)));
  const said = [
    ...(from === null ? [] : [`Read from ${from}: no machine runs, and balances are as they were then.`]),
    ...(wallets.some(({ runwaySeconds }) => runwaySeconds !== null) ? ["LASTS is at the burn of the last hour."] : []),
    ...(wallets.some(({ updatedAt }) => updatedAt === null)
      ? ["unknown: its balance was not read yet; that takes a chain to watch (bursar doctor)."]
      : []),
  ].flatMap((line) => wrap(line, width).map((part) => paint("dim", part)));
  return [...rows, ...(notes.length === 0 ? [] : ["", ...notes]), ...(said.length === 0 ? [] : ["", ...said])];
}

function rowOf(wallet: Wallet, now: string, { silent }: Signs): readonly Cell[] {
  const { address, agentIds, balance, status, runwaySeconds, updatedAt, blocked } = wallet;
  return [
    address,
    agentIds.join(", ") || silent,
    balance === null ? silent : usd(balance),
    blocked === undefined ? { text: status, color: COLORS[status] } : { text: blocked, color: "red" },
    // What is empty, or can pay nothing, is not spent any more.
    runwaySeconds === null || status === "empty" || blocked !== undefined ? silent : duration(runwaySeconds),
    updatedAt === null ? silent : timeText(updatedAt, now),
  ];
}

function notesOf(wallets: readonly Wallet[]): string[] {
  const listed = wallets.filter(({ blocked }) => blocked === "blacklisted");
  const isPaused = wallets.some(({ blocked }) => blocked === "paused");
  return [
    ...(isPaused ? ["USDC is paused by its issuer: no wallet can pay until that is over."] : []),
    ...listed.map(({ address }) => `${address} is blacklisted by USDC's issuer: it can neither pay nor be paid.`),
  ];
}

const COLORS: { readonly [status in Wallet["status"]]: Color } = {
  empty: "red",
  low: "yellow",
  ok: "green",
  unknown: "dim",
};
