/**
 * The step `correlate`: facts in, state out. Its write order is law: make your own side durable on the alias (fact or
 * tie), then read the other side consistently, then fold into the payments under their version; then the caller may
 * acknowledge. "Look up, then write" loses a fact when two arrive at once.
 */

import type { EventOf } from "@bursar/events/contract";
import type { Told } from "@bursar/events/envelope";
import { alias, parsePaymentId } from "@bursar/events/ids";
import { type AliasContent, exchanges, readAlias } from "./aliases.ts";
import { assess, type Findings, find, type Heads, type World } from "./assess.ts";
import { isSuperseded } from "./delivery.ts";
import { type Counted, type Effects, effectsOf } from "./effects.ts";
import { type Fact, homeOf } from "./fact.ts";
import { greatest, raiseHeads } from "./heads.ts";
import { AGENTS, counterKey, FACTS_PER_ITEM, factsPut, paymentKey, tiesPut } from "./items.ts";
import { type Folded, fold, foldContext, foldSibling, isNamed, type Tie } from "./payment.ts";
import { ACTIONS_PER_COMMIT, type Put, type Store, type VersionedPut } from "./ports.ts";
import { type Loaded, load, save } from "./record.ts";
import { assessRow, isRow, makesRow } from "./rows.ts";
import { byAlias, newTies } from "./ties.ts";

/** Rounds of read, fold, commit before a payment that others keep writing is given back to the queue. */
const ATTEMPTS_MAX = 12;

/** What every run of the step needs beside the facts. */
export interface CorrelateWorld extends World {
  readonly counted: Counted;
}

/** One payment that the run has written. */
export interface Changed {
  readonly id: string;
  readonly before: Loaded;
  readonly after: Loaded;
  /** Null for a row without payment. */
  readonly findings: Findings | null;
}

export interface Correlated {
  readonly changed: readonly Changed[];
  /** Places in `told` of what could not be committed: nothing of them is lost, they are to be told again. */
  readonly failed: readonly number[];
  /** Heads by chain, where the run has moved them. */
  readonly heads: ReadonlyMap<number, Heads>;
}

/** What one payment still has to take in. */
interface Work {
  readonly own: Fact[];
  readonly context: Fact[];
  readonly siblings: { alias: string; id: string; tie: Tie }[];
  readonly tellers: Set<number>;
}

/** Takes in a batch. Throws for a passing fault of the store: then nothing may be acknowledged. */
export async function correlate(
  store: Store,
  world: CorrelateWorld,
  told: readonly Told[],
  now: string,
): Promise<Correlated> {
  const { directory } = world;
  const works = new Map<string, Work>();
  const aliasFacts = new Map<string, { fact: Fact; teller: number }[]>();
  const heads = new Map<number, Heads>();
  const workOf = (id: string): Work => {
    const known = works.get(id);
    if (known !== undefined) return known;
    const work: Work = { own: [], context: [], siblings: [], tellers: new Set() };
    works.set(id, work);
    return work;
  };
  const onAlias = (name: string, fact: Fact, teller: number): void => {
    const facts = aliasFacts.get(name);
    if (facts === undefined) aliasFacts.set(name, [{ fact, teller }]);
    else facts.push({ fact, teller });
  };

  for (let teller = 0; teller < told.length; teller++) {
    const one = told[teller] as Told;
    if (one.event.type === "chain.heads") {
      const event = one.event as EventOf<"chain.heads">;
      heads.set(event.chainId, greatest(heads.get(event.chainId), event));
      continue;
    }
    const { fact, paymentId, aliases } = homeOf(one, directory.chainId);
    for (const name of aliases) onAlias(name, fact, teller);
    if (paymentId === null) continue;
    const work = workOf(paymentId);
    work.own.push(fact);
    work.tellers.add(teller);
    const wallet = claimedWallet(fact, paymentId, world);
    if (wallet !== null)
      onAlias(alias.wallet(wallet), { by: fact.by, type: "wallet.claimed", at: fact.at, value: {} }, teller);
  }

  for (const [chainId, seen] of heads) heads.set(chainId, await raiseHeads(store, chainId, seen));

  const changed = new Map<string, Changed>();
  const failed = new Set<number>();
  let open = new Set(works.keys());
  let first = true;
  for (let attempt = 0; open.size > 0 || first; attempt++) {
    if (attempt === ATTEMPTS_MAX) {
      for (const id of open) for (const teller of works.get(id)?.tellers ?? []) failed.add(teller);
      break;
    }
    const facts = first ? aliasFacts : new Map<string, { fact: Fact; teller: number }[]>();
    first = false;
    const conflicts = await round(store, world, now, open, works, workOf, facts, changed, attempt > 1);
    open = conflicts;
  }
  return { changed: [...changed.values()], failed: [...failed].sort((a, b) => a - b), heads };
}

/** One round over the payments in `open`; answers those whose version another writer had moved. */
async function round(
  store: Store,
  world: CorrelateWorld,
  now: string,
  open: ReadonlySet<string>,
  works: ReadonlyMap<string, Work>,
  workOf: (id: string) => Work,
  aliasFacts: ReadonlyMap<string, readonly { fact: Fact; teller: number }[]>,
  changed: Map<string, Changed>,
  singly: boolean,
): Promise<Set<string>> {
  const { directory } = world;
  const loaded = await loadAll(store, [...open]);
  const folded = new Map<string, Folded>();
  const puts: Put[] = [];
  const tied = new Map<string, Set<string>>();
  for (const [name, facts] of aliasFacts) {
    for (let i = 0; i < facts.length; i += FACTS_PER_ITEM) {
      puts.push(
        factsPut(
          name,
          facts.slice(i, i + FACTS_PER_ITEM).map(({ fact }) => fact),
        ),
      );
    }
  }
  for (const [id, { payment }] of loaded) {
    const work = works.get(id) as Work;
    const after = foldOthers(fold(payment, ...work.own), work);
    folded.set(id, after);
    for (const [name, ties] of byAlias(newTies(payment, after, directory))) {
      puts.push(tiesPut(name, id, ties));
      tied.set(name, (tied.get(name) ?? new Set()).add(id));
    }
  }
  if (puts.length > 0) await store.putAll(puts);

  const reached = await readOtherSide(store, aliasFacts, tied, workOf);
  const more = [...reached].filter((id) => !loaded.has(id));
  for (const [id, one] of await loadAll(store, more)) loaded.set(id, one);
  for (const id of reached) {
    const payment = folded.get(id) ?? (loaded.get(id) as Loaded).payment;
    folded.set(id, foldOthers(payment, works.get(id) as Work));
  }
  const own: Write[] = [];
  const others: Write[] = [];
  for (const [id, payment] of folded) {
    const write = writeOf(payment, loaded.get(id) as Loaded, world, now);
    if (write !== null) (open.has(id) && works.get(id)?.own.length ? own : others).push(write);
  }
  const agents = [...own, ...others].flatMap((write) => newAgent(write, directory));
  if (agents.length > 0) await store.putAll(agents);
  // The others first: once a payment has its ties committed, a redelivery no longer looks who is to learn of them.
  const conflicts = await commitAll(store, others, changed, singly);
  if (conflicts.size === 0) return commitAll(store, own, changed, singly);
  for (const { change } of own) conflicts.add(change.id);
  return conflicts;
}

/** Reads every touched alias and hands what stands there to the payments that it concerns; answers their ids. */
async function readOtherSide(
  store: Store,
  aliasFacts: ReadonlyMap<string, readonly { fact: Fact; teller: number }[]>,
  tied: ReadonlyMap<string, ReadonlySet<string>>,
  workOf: (id: string) => Work,
): Promise<Set<string>> {
  const reached = new Set<string>();
  const names = [...new Set([...aliasFacts.keys(), ...tied.keys()])];
  const contents = await Promise.all(names.map((name) => readAlias(store, name, aliasFacts.has(name))));
  for (const content of contents) {
    const name = content.alias;
    const told = aliasFacts.get(name) ?? [];
    const tying = tied.get(name) ?? new Set();
    const members =
      told.length > 0 ? new Set([...content.ties.keys(), ...tying]) : new Set([...tying, ...exchangers(content)]);
    for (const id of members) {
      const work = workOf(id);
      work.context.push(...content.facts);
      if (exchanges(content, id)) {
        for (const [sibling, ties] of content.ties)
          for (const tie of ties) work.siblings.push({ alias: name, id: sibling, tie });
      }
      for (const { teller } of told) work.tellers.add(teller);
      // What a sibling is told it is told for those who tie: they wait for it.
      if (!tying.has(id)) for (const tier of tying) for (const teller of workOf(tier).tellers) work.tellers.add(teller);
      reached.add(id);
    }
    const row = content.row;
    if (row !== null && content.facts.length > 0 && (content.ties.size === 0 || tying.size > 0)) {
      const work = workOf(row);
      if (content.ties.size === 0) work.context.push(...content.facts);
      for (const [id, ties] of content.ties) for (const tie of ties) work.siblings.push({ alias: name, id, tie });
      for (const { teller } of told) work.tellers.add(teller);
      reached.add(row);
    }
  }
  return reached;
}

function exchangers(content: AliasContent): string[] {
  return [...content.ties.keys()].filter((id) => exchanges(content, id));
}

async function loadAll(store: Store, ids: readonly string[]): Promise<Map<string, Loaded>> {
  if (ids.length === 0) return new Map();
  const stored = await store.get(ids.map(paymentKey));
  return new Map(ids.map((id, i) => [id, load(id, stored[i])]));
}

function foldOthers(payment: Folded, work: Work): Folded {
  let folded = foldContext(payment, ...work.context);
  for (const { alias: name, id, tie } of work.siblings) folded = foldSibling(folded, name, id, tie);
  return folded;
}

/** Writes what changed, each payment under its version and its counters with it; answers the ids that conflicted. */
async function commitAll(
  store: Store,
  writes: readonly Write[],
  changed: Map<string, Changed>,
  singly: boolean,
): Promise<Set<string>> {
  const conflicts = new Set<string>();
  const run = async (group: readonly Write[]): Promise<void> => {
    const moved = new Map<string, bigint>();
    for (const { deltas } of group)
      for (const [counter, amount] of deltas) moved.set(counter, (moved.get(counter) ?? 0n) + amount);
    const adds = [...moved]
      .filter(([, amount]) => amount !== 0n)
      .map(([counter, amount]) => ({ ...counterKey(counter), amount }));
    const answer = await store.commit(
      group.map(({ put }) => put),
      adds,
    );
    for (const { change } of group) {
      if (answer === "conflict") conflicts.add(change.id);
      else changed.set(change.id, { ...change, before: changed.get(change.id)?.before ?? change.before });
    }
  };
  const commits: Promise<void>[] = [];
  let group: Write[] = [];
  let counters = new Set<string>();
  for (const write of writes) {
    if (write.deltas.length === 0 || singly) {
      commits.push(run([write]));
      continue;
    }
    const union = new Set([...counters, ...write.deltas.map(([counter]) => counter)]);
    if (group.length + 1 + union.size > ACTIONS_PER_COMMIT) {
      commits.push(run(group));
      group = [];
      counters = new Set(write.deltas.map(([counter]) => counter));
    } else counters = union;
    group.push(write);
  }
  if (group.length > 0) commits.push(run(group));
  await Promise.all(commits);
  return conflicts;
}

interface Write {
  readonly put: VersionedPut;
  readonly deltas: readonly (readonly [string, bigint])[];
  readonly change: Changed;
}

/** The write that brings the table to `payment`; null where nothing changed. */
function writeOf(payment: Folded, before: Loaded, world: CorrelateWorld, now: string): Write | null {
  if (isRow(payment.id)) return rowWrite(payment, before, world, now);
  if (!isNamed(payment)) {
    if (payment === before.payment) return null;
    // Only an alias names it yet. The write keeps its first writer from overlooking what it holds.
    const put = save(payment, before.applied, null, null, before.version);
    return {
      put,
      deltas: [],
      change: { id: payment.id, before, after: afterOf(payment, {}, null, put, before), findings: null },
    };
  }
  const findings = find(payment, world.directory);
  const effects = effectsOf(findings, world.directory, world.counted);
  const deltas = difference(effects, before.applied);
  if (payment === before.payment && deltas.length === 0) return null;
  const assessed = assess(findings, now, world);
  const put = save(payment, effects, assessed, isSuperseded(payment) ? null : findings.evidence.owners, before.version);
  return {
    put,
    deltas,
    change: { id: payment.id, before, after: afterOf(payment, effects, assessed, put, before), findings },
  };
}

/** Agents that the config does not name are noted, so that lists find their payments. */
function newAgent({ put, change }: Write, directory: World["directory"]): Put[] {
  const agent = put.index?.list?.partition;
  const isNew = agent !== undefined && agent !== change.before.listed && !directory.labels.has(agent);
  return isNew && agent !== "-" && agent !== "*" ? [{ pk: AGENTS, sk: agent, data: {} }] : [];
}

function rowWrite(row: Folded, before: Loaded, world: CorrelateWorld, now: string): Write | null {
  const tied = Object.keys(row.siblings).length > 0;
  if (row === before.payment || !makesRow(row) || (tied && before.version === null)) return null;
  const assessed = tied ? null : assessRow(row, now, world);
  const put = save(row, {}, assessed, tied ? null : reporters(row), before.version);
  return {
    put,
    deltas: [],
    change: { id: row.id, before, after: afterOf(row, {}, assessed, put, before), findings: null },
  };
}

function afterOf(
  payment: Folded,
  applied: Effects,
  assessed: Loaded["assessed"],
  put: VersionedPut,
  before: Loaded,
): Loaded {
  return { payment, applied, assessed, listed: put.index?.list?.partition ?? null, version: (before.version ?? 0) + 1 };
}

function reporters(row: Folded): readonly string[] {
  const agents = Object.keys(row.context).filter((group) => group.includes("|agent:"));
  return [...new Set(agents.map((group) => group.slice(group.indexOf("|agent:") + 7)))].sort().slice(0, 1);
}

/** effects(after) - applied, counter by counter, without zeros. */
export function difference(effects: Effects, applied: Effects): (readonly [string, bigint])[] {
  const deltas: (readonly [string, bigint])[] = [];
  for (const counter of Object.keys(effects)) {
    const delta = (effects[counter] ?? 0n) - (applied[counter] ?? 0n);
    if (delta !== 0n) deltas.push([counter, delta]);
  }
  for (const counter of Object.keys(applied)) {
    const was = applied[counter] ?? 0n;
    if (effects[counter] === undefined && was !== 0n) deltas.push([counter, -was]);
  }
  return deltas;
}

/** The wallet that a signing claims: nobody's in the config, signed for by an agent without configured wallets. */
function claimedWallet(fact: Fact, paymentId: string, { directory }: World): string | null {
  if (fact.type !== "agent.authorization_signed" || directory.settledAgents.has(fact.by.slice("agent:".length)))
    return null;
  const key = parsePaymentId(paymentId);
  if (key?.method !== "eip3009" || directory.walletOwner.has(key.payer)) return null;
  return key.payer;
}
