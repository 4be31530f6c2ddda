/**
 * The step `correlate`: facts in, state out. Its write order is law: make your own side durable on the alias (fact or
 * tie), then read the other side consistently, then fold into the payments under their version; then the caller may
 * acknowledge. "Look up, then write" loses a fact when two arrive at once.
 */
import type { EventOf } from "@bursar/events/contract";
import type { Told } from "@bursar/events/envelope";
import { alias } from "@bursar/events/ids";
import { type Touched, touch } from "./alert-marks.ts";
import { type AliasContent, exchanges, readAlias } from "./aliases.ts";
import type { Heads } from "./assess.ts";
import { commitAll } from "./commit.ts";
import { type Fact, homeOf } from "./fact.ts";
import { greatest, raiseHeads } from "./heads.ts";
import { FACTS_PER_ITEM, factsPut, paymentKey, tiesPut } from "./items.ts";
import { type Folded, fold, foldContext, foldSibling, SIBLINGS_MAX, type Tie } from "./payment.ts";
import type { Put, Store } from "./ports.ts";
import { type Loaded, load } from "./record.ts";
import { byAlias, newTies } from "./ties.ts";
import { claimedWallet, claimFact, claimToldPut, untoldClaims, type WalletClaim } from "./wallet-claims.ts";
import { type Changed, type CorrelateWorld, type Write, writeOf } from "./write.ts";

/** Rounds of read, fold, commit before a payment that others keep writing is given back to the queue. */
const ATTEMPTS_MAX = 12;

export interface Correlated {
  readonly changed: readonly Changed[];
  /** Counters of every payment that the facts are about, moved or not: who told them before may have died in between. */
  readonly counters: ReadonlySet<string>;
  /** Alerts of every payment that the facts are about, likewise. */
  readonly touched: Touched;
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
  const claims: WalletClaim[] = [];
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
    const wallet = claimedWallet(fact, paymentId, directory);
    if (wallet !== null) claims.push({ alias: alias.wallet(wallet), by: fact.by, teller });
  }
  // Every payment of a wallet must learn of a claim, but once: a busy wallet has thousands.
  const untold = await untoldClaims(store, claims);
  for (const claim of untold) onAlias(claim.alias, claimFact(claim.by), claim.teller);

  for (const [chainId, seen] of heads) heads.set(chainId, await raiseHeads(store, chainId, seen));

  const changed = new Map<string, Changed>();
  const counters = new Set<string>();
  const touched: Touched = new Map();
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
    const conflicts = await round(
      store,
      world,
      now,
      open,
      works,
      workOf,
      facts,
      changed,
      counters,
      touched,
      attempt > 1,
    );
    open = conflicts;
  }
  if (untold.length > 0 && failed.size === 0) await store.putAll(untold.map(claimToldPut));
  for (const { id, after } of changed.values()) touch(touched, { ...after, id });
  return { changed: [...changed.values()], counters, touched, failed: [...failed].sort((a, b) => a - b), heads };
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
  counters: Set<string>,
  touched: Touched,
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
    const before = loaded.get(id) as Loaded;
    const write = writeOf(payment, before, world, now);
    touch(touched, { ...before, id });
    for (const counter in before.applied) counters.add(counter);
    for (const counter in write?.change.after.applied) counters.add(counter);
    if (write !== null) (open.has(id) && works.get(id)?.own.length ? own : others).push(write);
  }
  // The others first: once a payment has its ties committed, a redelivery no longer looks who is to learn of them.
  const conflicts = await commitAll(store, world, others, changed, now, singly);
  if (conflicts.size === 0) return commitAll(store, world, own, changed, now, singly);
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
    // A payment keeps the least of its siblings, and one more tells it that there are others.
    const siblings = [...content.ties].sort(([a], [b]) => (a < b ? -1 : 1)).slice(0, SIBLINGS_MAX + 2);
    const tiers = new Set([...tying].flatMap((tier) => [...workOf(tier).tellers]));
    for (const id of members) {
      const work = workOf(id);
      work.context.push(...content.facts);
      if (exchanges(content, id)) {
        for (const [sibling, ties] of siblings)
          for (const tie of ties) work.siblings.push({ alias: name, id: sibling, tie });
      }
      for (const { teller } of told) work.tellers.add(teller);
      // What a sibling is told it is told for those who tie: they wait for it.
      if (!tying.has(id)) for (const teller of tiers) work.tellers.add(teller);
      reached.add(id);
    }
    const row = content.row;
    if (row !== null && content.facts.length > 0 && (content.ties.size === 0 || tying.size > 0)) {
      const work = workOf(row);
      if (content.ties.size === 0) work.context.push(...content.facts);
      for (const [id, ties] of siblings) for (const tie of ties) work.siblings.push({ alias: name, id, tie });
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
