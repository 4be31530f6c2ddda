/** What ties payments to aliases: the names their own facts give, and on shared aliases what the chain said of them. */

import { alias, parsePaymentId } from "@bursar/events/ids";
import type { Directory } from "./directory.ts";
import { entriesOf, tiesOf } from "./evidence.ts";
import type { Fact } from "./fact.ts";
import { markOf } from "./items.ts";
import { type Folded, isNamed, type Slots, type Tie } from "./payment.ts";

export interface NamedTie {
  readonly alias: string;
  readonly tie: Tie;
}

/** The ties of `after` that `before` had not: what a writer makes durable before it reads the other side. */
export function newTies(before: Folded, after: Folded, directory: Directory): NamedTie[] {
  if (before.own === after.own) return [];
  const ties = allTies(after, directory);
  if (!isNamed(before)) return [...ties.values()];
  const known = allTies(before, directory);
  return [...ties].filter(([name]) => !known.has(name)).map(([, tie]) => tie);
}

function allTies(payment: Folded, directory: Directory): Map<string, NamedTie> {
  const ties = new Map<string, NamedTie>();
  const aliases = new Set<string>();
  const isTransfer = payment.id.startsWith("transfer:");
  for (const { alias: name, by } of tiesOf(payment, directory)) {
    aliases.add(name);
    // Who says so matters on hashes alone, where the chain's own fact is a tie enough.
    const who = name.startsWith("tx:") ? by : "-";
    if (who !== "chain" || isTransfer) ties.set(`${name} ${who}`, { alias: name, tie: { by: who } });
  }
  const chainId = parsePaymentId(payment.id)?.chainId ?? directory.chainId;
  for (const fact of chainFacts(payment.own)) {
    const own = alias.transaction(chainId, fact.value.txHash as string);
    const mark = markOf(fact);
    for (const name of aliases) {
      if (name.startsWith("req:") || name.startsWith("pur:") || name === own) {
        ties.set(`${name} ${mark}`, { alias: name, tie: { fact, mark } });
      }
    }
  }
  return ties;
}

function chainFacts(own: Slots): Fact[] {
  const chain: { [group: string]: Slots[string] } = {};
  for (const group of ["chain.settled|chain", "chain.orphaned|chain"])
    if (own[group] !== undefined) chain[group] = own[group];
  return entriesOf(chain).flatMap(({ type, kind, values }) =>
    values.map(({ at, value }) => ({ by: kind, type, at, value })),
  );
}
