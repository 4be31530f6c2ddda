/** What ties payments to aliases: the names their own facts give, and on shared aliases what the chain said of them. */

import { alias, parsePaymentId } from "@bursar/events/ids";
import { canonical } from "./canonical.ts";
import type { Directory } from "./directory.ts";
import { entriesOf, tiesOf } from "./evidence.ts";
import type { Fact } from "./fact.ts";
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
  for (const { alias: name, by } of tiesOf(payment, directory)) {
    ties.set(`${name} ${by}`, { alias: name, tie: { by } });
    aliases.add(name);
  }
  const chainId = parsePaymentId(payment.id)?.chainId ?? directory.chainId;
  for (const fact of chainFacts(payment.own)) {
    const own = alias.transaction(chainId, fact.value.txHash as string);
    for (const name of aliases) {
      if (name.startsWith("req:") || name.startsWith("pur:") || name === own) {
        ties.set(`${name} ${fact.type} ${canonical(fact.value)} ${fact.at}`, { alias: name, tie: { fact } });
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
