/** What ties payments to aliases: the names their own facts give, and on shared aliases what the chain said of them. */

import { alias, parsePaymentId } from "@bursar/events/ids";
import type { Directory } from "./directory.ts";
import { entriesOf, tiesOf } from "./evidence.ts";
import type { Fact } from "./fact.ts";
import { markOf, type NamedTie } from "./items.ts";
import { type Folded, isNamed, type Slots } from "./payment.ts";
import { lastOf } from "./slot.ts";

/** The ties of `after` that `before` had not: what a writer makes durable before it reads the other side. */
export function newTies(before: Folded, after: Folded, directory: Directory): AliasTie[] {
  if (before.own === after.own) return [];
  const ties = allTies(after, directory);
  if (!isNamed(before)) return [...ties.values()];
  const known = allTies(before, directory);
  return [...ties].filter(([name]) => !known.has(name)).map(([, tie]) => tie);
}

/** Ties by their alias: those to one alias are kept in one item. */
export function byAlias(ties: readonly AliasTie[]): Map<string, AliasTie[]> {
  const sorted = new Map<string, AliasTie[]>();
  for (const tie of ties) {
    const known = sorted.get(tie.alias);
    if (known === undefined) sorted.set(tie.alias, [tie]);
    else known.push(tie);
  }
  return sorted;
}

/** A tie and the alias it is to. */
export interface AliasTie extends NamedTie {
  readonly alias: string;
}

function allTies(payment: Folded, directory: Directory): Map<string, AliasTie> {
  const ties = new Map<string, AliasTie>();
  const aliases = new Set<string>();
  const isTransfer = payment.id.startsWith("transfer:");
  for (const { alias: name, by } of tiesOf(payment, directory)) {
    aliases.add(name);
    // Who says so matters where an answer may name no more; on hashes the chain's own fact is a tie enough.
    const who = name.startsWith("tx:") || name.startsWith("req:") ? by : "-";
    if (who !== "chain" || isTransfer) ties.set(`${name} ${who}`, { alias: name, name: who, tie: { by: who } });
  }
  const chainId = parsePaymentId(payment.id)?.chainId ?? directory.chainId;
  for (const fact of chainFacts(payment.own)) {
    const own = alias.transaction(chainId, fact.value.txHash as string);
    const mark = markOf(fact);
    for (const name of aliases) {
      if (name.startsWith("req:") || name.startsWith("pur:") || name === own) {
        ties.set(`${name} ${mark}`, { alias: name, name: mark, tie: { fact } });
      }
    }
  }
  return ties;
}

function chainFacts(own: Slots): Fact[] {
  const chain: { [group: string]: Slots[string] } = {};
  for (const group of ["chain.settled|chain", "chain.orphaned|chain"])
    if (own[group] !== undefined) chain[group] = own[group];
  // The last word too: a sibling's slot must end up the same as one that heard everything itself.
  return entriesOf(chain).flatMap(({ type, kind, slot, values }) =>
    [...values, lastOf(slot)].map(({ at, value }) => ({ by: kind, type, at, value })),
  );
}
