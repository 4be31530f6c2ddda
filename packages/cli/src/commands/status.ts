/** `bursar status`: how the machine is and what it has seen, on a few lines. */
import type { NodeHealth } from "@bursar/chain/client";
import type { Alert, Budget, Health, Payment } from "@bursar/events/shapes";
import type { Input } from "../args.ts";
import { addressOf, connect } from "../client.ts";
import { EXIT } from "../errors.ts";
import { type Io, printJson, printLines } from "../io.ts";
import { eachPage, openReader, type Reader } from "../reader.ts";
import { statusLines } from "../terminal/status-lines.ts";
import { addTo, emptyTally, type Tally } from "../terminal/tally.ts";

/** Totals are counted from the list up to here. */
const COUNTED_MAX = 20_000;

export interface Status {
  readonly from: string;
  readonly health: Health | null;
  readonly totals: Tally;
  /** Null where only a running machine knows. */
  readonly alertsOpen: number | null;
  readonly budgetsReached: readonly string[] | null;
  readonly nodes: readonly NodeHealth[];
}

export async function run(input: Input, io: Io): Promise<number> {
  const reader = await openReader(input, io);
  try {
    const status = await statusOf(reader, input, io);
    if (input.flag("json"))
      printJson(io, {
        ...status,
        totals: { ...status.totals, spent: status.totals.spent.toString(), held: status.totals.held.toString() },
      });
    else printLines(io, statusLines(status, io.screen()));
    return status.health?.status === "degraded" ? EXIT.failed : EXIT.done;
  } finally {
    await reader.close();
  }
}

async function statusOf(reader: Reader, input: Input, io: Io): Promise<Status> {
  let totals = emptyTally();
  for await (const { payments } of eachPage(reader, {}, COUNTED_MAX)) totals = payments.reduce<Tally>(add, totals);
  const { health } = reader;
  const connected = health === null ? null : await connect(addressOf(input, io));
  if (connected === null)
    return { from: reader.from, health: null, totals, alertsOpen: null, budgetsReached: null, nodes: [] };
  const { alerts } = (await connected.client.get("/api/alerts", { status: "open" })) as { alerts: readonly Alert[] };
  const { budgets } = (await connected.client.get("/api/budgets")) as { budgets: readonly Budget[] };
  const now = io.now().toISOString();
  const reached = budgets.filter(
    (budget) => BigInt(budget.remaining) <= 0n && (budget.end === null || now < budget.end),
  );
  return {
    from: reader.from,
    health: connected.health,
    totals,
    alertsOpen: alerts.length,
    budgetsReached: reached.map(({ policy, scope }) => `${policy} (${scope})`),
    nodes: (await reader.chain())?.nodes ?? [],
  };
}

const add = (tally: Tally, payment: Payment): Tally => addTo(tally, payment, 1);
