/** `bursar wallets`: the governed wallets, which only the running machine knows. */
import type { Wallet } from "@bursar/events/shapes";
import type { Input } from "../args.ts";
import { EXIT } from "../errors.ts";
import { type Io, printJson, printLines } from "../io.ts";
import { openMachine } from "../reader.ts";
import { duration, usd } from "../terminal/figures.ts";
import { type Color, type Signs, signsOf } from "../terminal/style.ts";
import { type Cell, type Column, table } from "../terminal/table.ts";

const COLUMNS: readonly Column[] = [
  { title: "ADDRESS" },
  { title: "AGENT", min: 8 },
  { title: "BALANCE", align: "right" },
  { title: "STATUS" },
  { title: "LASTS" },
];

export async function run(input: Input, io: Io): Promise<number> {
  const { client } = await openMachine(input, io);
  const answer = (await client.get("/api/wallets")) as { readonly wallets: readonly Wallet[] };
  if (input.flag("json")) printJson(io, answer);
  else printLines(io, linesOf(answer.wallets, io));
  return EXIT.done;
}

function linesOf(wallets: readonly Wallet[], io: Io): string[] {
  if (wallets.length === 0)
    return ["No wallets: name them in bursar.config.ts under agents, or let an agent sign with one."];
  const screen = io.screen();
  const signs = signsOf(screen);
  const lines = table(
    COLUMNS,
    wallets.map((wallet) => rowOf(wallet, signs)),
    screen,
  );
  return wallets.some(({ balance }) => balance === null)
    ? [...lines, "", "unknown: this version does not read balances yet; payments and budgets do without them."]
    : lines;
}

function rowOf({ address, agentIds, balance, status, runwaySeconds }: Wallet, { silent }: Signs): readonly Cell[] {
  return [
    address,
    agentIds.join(", ") || silent,
    balance === null ? silent : usd(balance),
    { text: status, color: COLORS[status] },
    runwaySeconds === null ? silent : duration(runwaySeconds),
  ];
}

const COLORS: { readonly [status in Wallet["status"]]: Color } = {
  empty: "red",
  low: "yellow",
  ok: "green",
  unknown: "dim",
};
