/** `bursar unfreeze`: lets an agent go, and says which budgets still stand against it. */
import { displayUsd, UNITS_PER_USD } from "@bursar/events/money";
import type { Budget } from "@bursar/events/shapes";
import { clean } from "@bursar/events/text";
import type { Input } from "../args.ts";
import type { Client } from "../client.ts";
import { EXIT } from "../errors.ts";
import { type Io, printJson, printLines } from "../io.ts";
import { confirmed, nameOf, needYes, reasonOf } from "../orders-input.ts";
import { openMachine } from "../reader.ts";
import { policyOf } from "../terminal/reason-text.ts";
import { painter } from "../terminal/style.ts";
import { safe } from "../terminal/text.ts";

interface LetGo {
  readonly agent: string;
  /** Why its sessions would still be revoked: budgets' figures in words. */
  readonly standing: readonly string[];
}

export async function run(input: Input, io: Io): Promise<number> {
  const agent = nameOf(input, "agent", 'bursar unfreeze gambler --reason "fixed in 1.4.2"');
  const reason = reasonOf(input);
  needYes(input, io, "lets an agent pay again");
  const { client } = await openMachine(input, io);
  if (!(await confirmed(input, io, `Let ${clean(agent, 80)} go? It may pay again at once, in a new session.`)))
    return EXIT.failed;
  const letGo = (await client.post("/api/orders/unfreeze", { agent, reason })) as LetGo;
  if (input.flag("json")) printJson(io, letGo);
  else printLines(io, await linesOf(letGo, client, io));
  return EXIT.done;
}

async function linesOf({ agent, standing }: LetGo, client: Client, io: Io): Promise<string[]> {
  const paint = painter(io.screen());
  const free = `${paint("green", `${agent} is free`)}: it may pay again in a session that it opens now.`;
  const policy = "If its role has the IAM policy of the freeze, detach that too.";
  if (standing.length === 0) return [free, policy];
  const { budgets } = (await client.get("/api/budgets", { window: "current" })) as { budgets: readonly Budget[] };
  const one = standing.length === 1;
  return [
    free,
    `But ${one ? "a budget still stands" : "budgets still stand"} against it, and ${one ? "revokes" : "revoke"} what it opens:`,
    ...standing.flatMap((reason) => [`  ${safe(reason)}`, `    ${raiseOf(reason, budgets)}`]),
    policy,
  ];
}

/** The command that raises a budget to twice what it has now, in whole dollars. */
function raiseOf(reason: string, budgets: readonly Budget[]): string {
  const policy = policyOf(reason);
  if (policy === null) return "See: bursar budgets";
  const used = budgets
    .filter((budget) => budget.policy === policy)
    .map(({ held, spent, limit }) =>
      BigInt(held) + BigInt(spent) > BigInt(limit) ? BigInt(held) + BigInt(spent) : BigInt(limit),
    )
    .reduce((most, units) => (units > most ? units : most), 0n);
  const dollars = (2n * used + UNITS_PER_USD - 1n) / UNITS_PER_USD;
  const to = dollars === 0n ? "USD" : displayUsd(dollars * UNITS_PER_USD).replace("$", "");
  return `bursar budgets raise ${policy} --to ${to} --until +1h --reason TEXT`;
}
