/** `bursar wallets`, `sessions`, `actions`: lists that only the running machine knows. */
import type { Action, Session, Wallet } from "@bursar/events/shapes";
import type { Input } from "../args.ts";
import { EXIT } from "../errors.ts";
import { type Io, printJson, printLines } from "../io.ts";
import { openMachine } from "../reader.ts";
import { duration, shortHex, stamp, usd } from "../terminal/figures.ts";
import { type Signs, signsOf } from "../terminal/style.ts";
import { type Cell, type Column, table } from "../terminal/table.ts";

type ListName = "wallets" | "sessions" | "actions";

interface View<Row> {
  readonly columns: readonly Column[];
  readonly row: (row: Row, signs: Signs) => readonly Cell[];
  readonly none: string;
  /** What the rows need said beside them, if anything. */
  readonly note?: (rows: readonly Row[]) => string | null;
}

const WALLETS: View<Wallet> = {
  columns: [
    { title: "ADDRESS" },
    { title: "AGENT", min: 8 },
    { title: "BALANCE", align: "right" },
    { title: "STATUS" },
    { title: "LASTS" },
  ],
  row: ({ address, agentIds, balance, status, runwaySeconds }, { silent }) => [
    address,
    agentIds.join(", ") || silent,
    balance === null ? silent : usd(balance),
    {
      text: status,
      color: status === "empty" ? "red" : status === "low" ? "yellow" : status === "ok" ? "green" : "dim",
    },
    runwaySeconds === null ? silent : duration(runwaySeconds),
  ],
  none: "No wallets: name them in bursar.config.ts under agents, or let an agent sign with one.",
  note: (rows) =>
    rows.some(({ balance }) => balance === null)
      ? "unknown: this version does not read balances yet; payments and budgets do without them."
      : null,
};

const SESSIONS: View<Session> = {
  columns: [
    { title: "SESSION", min: 12 },
    { title: "AGENT", min: 8 },
    { title: "STATUS" },
    { title: "LIMIT", align: "right" },
    { title: "LEFT", align: "right" },
    { title: "EXPIRES (UTC)" },
  ],
  row: ({ id, agentId, status, limit, available, expiresAt }, { silent }) => [
    id,
    agentId ?? silent,
    status,
    limit === null ? silent : usd(limit),
    available === null ? silent : usd(available),
    expiresAt === null ? silent : stamp(expiresAt),
  ],
  none: "No sessions were seen: agents name theirs when they sign.",
};

const ACTIONS: View<Action> = {
  columns: [
    { title: "WHEN (UTC)" },
    { title: "WHAT" },
    { title: "TARGET", min: 12 },
    { title: "OUTCOME" },
    { title: "WHY", min: 16 },
  ],
  row: ({ at, kind, target, outcome, reason }, signs) => [
    stamp(at),
    kind.replaceAll("_", " "),
    shortHex(target, signs),
    { text: outcome, color: outcome === "failed" ? "red" : outcome === "done" ? "green" : null },
    reason,
  ],
  none: "Bursar has done nothing: no budget asked for it.",
};

export function listOf(name: ListName): (input: Input, io: Io) => Promise<number> {
  return async (input, io) => {
    const { client } = await openMachine(input, io);
    const answer = (await client.get(`/api/${name}`)) as { readonly [name: string]: readonly unknown[] };
    if (input.flag("json")) printJson(io, answer);
    else printLines(io, linesOf(name, answer[name] ?? [], io));
    return EXIT.done;
  };
}

function linesOf(name: ListName, rows: readonly unknown[], io: Io): string[] {
  const view = { wallets: WALLETS, sessions: SESSIONS, actions: ACTIONS }[name] as View<unknown>;
  if (rows.length === 0) return [view.none];
  const screen = io.screen();
  const signs = signsOf(screen);
  const note = view.note?.(rows) ?? null;
  const lines = table(
    view.columns,
    rows.map((row) => view.row(row, signs)),
    screen,
  );
  return note === null ? lines : [...lines, "", note];
}
