/** One alias as it stands in the table: the facts told of it, and the payments tied to it. */
import { rowId } from "@bursar/events/ids";
import { ANSWERS } from "./delivery.ts";
import type { Fact } from "./fact.ts";
import { aliasPk, FACTS, TIES } from "./items.ts";
import { eachFact } from "./pages.ts";
import type { Tie } from "./payment.ts";
import type { Store, Fact as StoredFact } from "./ports.ts";

export interface AliasContent {
  readonly alias: string;
  readonly facts: readonly Fact[];
  readonly ties: ReadonlyMap<string, readonly Tie[]>;
  /** The id of the list row that its facts make while nothing is tied; null for aliases that make none. */
  readonly row: string | null;
}

/** Reads an alias consistently. Of sessions and wallets, which tie thousands, the ties only where a fact is to be told on. */
export async function readAlias(store: Store, alias: string, toldNow: boolean): Promise<AliasContent> {
  const wide = alias.startsWith("ses:") || alias.startsWith("wal:");
  const items = await readAll(store, alias, wide && !toldNow ? FACTS : "");
  const facts = items.filter(({ sk }) => sk.startsWith(FACTS));
  const ties = items.filter(({ sk }) => sk.startsWith(TIES));
  const byPayment = new Map<string, Tie[]>();
  for (const { data } of ties) {
    const { id, by, facts: chain = [] } = data as unknown as StoredTies;
    const known = byPayment.get(id) ?? [];
    byPayment.set(id, [...known, ...by.map((speaker) => ({ by: speaker })), ...chain.map((fact) => ({ fact }))]);
  }
  return {
    alias,
    facts: facts.flatMap(({ data }) => (data as unknown as { facts: readonly Fact[] }).facts),
    ties: byPayment,
    row: rowOf(alias),
  };
}

/**
 * Whether a payment needs to know what else is tied to the alias. On requests and purchases always: there siblings
 * make duplicates. On hashes, which one batch can share fifty ways, only where an answer names no more than the hash,
 * and for a transfer, which may be the second face of a settlement.
 */
export function exchanges(content: AliasContent, paymentId: string): boolean {
  if (content.ties.size < 2 && content.ties.has(paymentId)) return false;
  if (content.alias.startsWith("req:") || content.alias.startsWith("pur:")) return true;
  if (!content.alias.startsWith("tx:")) return false;
  return paymentId.startsWith("transfer:") || content.facts.some((fact) => ANSWERS.has(fact.type));
}

async function readAll(store: Store, alias: string, prefix: string): Promise<StoredFact[]> {
  const items: StoredFact[] = [];
  for await (const item of eachFact(store, aliasPk(alias), prefix)) items.push(item);
  return items;
}

interface StoredTies {
  readonly id: string;
  readonly by: readonly string[];
  readonly facts?: readonly Fact[];
}

function rowOf(alias: string): string | null {
  const [kind = "", scope = ""] = alias.split(":");
  if (kind === "req") return rowId.request(scope, alias.slice(`req:${scope}:`.length));
  if (kind === "tx") return rowId.transaction(Number(scope), alias.slice(`tx:${scope}:`.length));
  return null;
}
