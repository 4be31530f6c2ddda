/** The keys of the one table: which item lives where, in one place. `packages/store` says how adapters keep them. */
import { canonical, fingerprint } from "./canonical.ts";
import type { Fact } from "./fact.ts";
import type { Tie } from "./payment.ts";
import type { IndexEntry, Json, Key, Put } from "./ports.ts";

export const SELF = ".";

export const paymentKey = (id: string): Key => ({ pk: `PAY#${id}`, sk: SELF });
export const headsKey = (chainId: number): Key => ({ pk: `CUR#${chainId}`, sk: "heads" });
export const aliasPk = (alias: string): string => `AL#${alias}`;

/** Facts that one item of an alias holds at most: far from the size that a store allows. */
export const FACTS_PER_ITEM = 5;

/** Facts without payment that came together, on one alias. The key is all that was said, so a repeat changes nothing. */
export function factsPut(alias: string, facts: readonly Fact[]): Put {
  const said = new Map(
    facts.map(({ by, type, at, value }) => [canonical({ by, type, at, value }), { by, type, at, value }]),
  );
  const texts = [...said.keys()].sort();
  const data = { facts: texts.map((text) => said.get(text) as Fact) } as unknown as Json;
  return { pk: aliasPk(alias), sk: `${FACTS}${fingerprint(texts.join("\n"))}`, data };
}

/** What ties a payment to an alias: names of who says so, and facts of the chain about it. */
export function tiesPut(alias: string, paymentId: string, ties: readonly NamedTie[]): Put {
  const sorted = [...ties].sort((a, b) => (a.name < b.name ? -1 : 1));
  const by = sorted.flatMap(({ tie }) => ("by" in tie ? [tie.by] : []));
  const facts = sorted.flatMap(({ tie }) => ("fact" in tie ? [tie.fact] : []));
  const name =
    facts.length === 0 && by.length === 1 ? (by[0] as string) : fingerprint(sorted.map((tie) => tie.name).join("\n"));
  const data = { id: paymentId, by, ...(facts.length === 0 ? {} : { facts }) } as unknown as Json;
  return { pk: aliasPk(alias), sk: `${TIES}${paymentId}#${name}`, data };
}

/** A tie with a name that says all of it. */
export interface NamedTie {
  readonly name: string;
  readonly tie: Tie;
}

/** A fact's content in short. */
export function markOf({ by, type, at, value }: Fact): string {
  return fingerprint(canonical({ by, type, at, value }));
}

export const FACTS = "F#";
export const TIES = "T#";

/** Agents that payments were charged to and that the config does not name. */
export const AGENTS = "AGENTS";

/** Quarantined events: content-keyed, so that a redelivery does not count twice. */
export function quarantinePut(data: { readonly [key: string]: Json | undefined }, at: string): Put {
  return { pk: "QUARANTINE", sk: fingerprint(canonical(data)), data, at };
}

/** Payments are listed by the agent charged; contested ones and nobody's have partitions of their own. */
export function listEntry(id: string, agentIds: readonly string[]): IndexEntry {
  const [only] = agentIds;
  return { partition: only === undefined ? "-" : agentIds.length > 1 ? "*" : only, sort: id };
}

/** The due index is spread over shards, so that no partition grows hot. */
export const DUE_SHARDS = 4;

export function dueEntry(id: string, at: string): IndexEntry {
  let sum = 0;
  for (let i = Math.max(0, id.length - 8); i < id.length; i++) sum += id.charCodeAt(i);
  return { partition: `due#${sum % DUE_SHARDS}`, sort: `${at}#${id}` };
}
