/**
 * One UTC day as the table has it: what was booked in it, what agents and APIs say of that, what was signed in it and
 * may still settle. Read from every payment, because the table is not sorted by time; the counters are read around it.
 */
import type { Break, State } from "@bursar/events/shapes";
import type { Findings } from "./assess.ts";
import type { Day } from "./chain-day.ts";
import { largest, validBeforeOf } from "./claims.ts";
import { heldCounter, readCounters, spentCounter } from "./counters.ts";
import type { Directory } from "./directory.ts";
import { type Effects, scopeName } from "./effects.ts";
import { type Entry, ofType } from "./evidence.ts";
import { knownCounters } from "./known-books.ts";
import { eachPayment, showById } from "./lists.ts";
import { notedAgents } from "./notes.ts";
import type { Store } from "./ports.ts";
import type { CorrelateWorld } from "./write.ts";

/** A payment that has to do with the day. Amounts are atomic units. */
export interface DayPayment {
  readonly id: string;
  /** Who paid. */
  readonly wallet: string;
  readonly agentIds: readonly string[];
  readonly apiId: string | null;
  readonly state: State;
  readonly breaks: readonly Break[];
  /** Booked in this day; null where it has not settled. */
  readonly booked: { readonly at: string; readonly blockNumber: number; readonly amount: bigint } | null;
  /**
   * What the agent says was paid: what it signed, or what settled where it names no amount or signed a maximum (`upto`).
   * Null where it tells nothing; of a payment that has not settled, where it does not say that it has.
   */
  readonly agentSaid: bigint | null;
  /** The same of the API, by what it verified. */
  readonly apiSaid: bigint | null;
  /** The payee is an API of the config, so that it should tell. */
  readonly apiShould: boolean;
  /** What the books hold of it for its agent, because it may still settle. */
  readonly held: bigint;
  /** Until when, ISO-8601; null where nothing is held or nobody said. */
  readonly heldUntil: string | null;
}

/** A counter of the day and the sum of its payments. `before` and `after` the payments were read. */
export interface CounterOfDay {
  readonly counter: string;
  readonly before: bigint;
  readonly after: bigint;
  readonly sum: bigint;
}

export interface DayBooks {
  readonly day: Day;
  /** Wallets that somebody owns, and by whom. */
  readonly wallets: ReadonlyMap<string, readonly string[]>;
  readonly payments: readonly DayPayment[];
  /** `spent` by day of each agent and of the organisation, where anything was. */
  readonly counters: readonly CounterOfDay[];
}

/** `onProgress` hears now and then how many payments were looked at, and is waited for: others have their turn then. */
export async function readDayBooks(
  store: Store,
  world: CorrelateWorld,
  now: string,
  day: Day,
  onProgress: Progress = () => {},
): Promise<DayBooks> {
  const { directory } = world;
  const wallets = new Map<string, readonly string[]>();
  for (const [wallet, agentId] of directory.walletOwner) wallets.set(wallet, [agentId]);
  const payments: DayPayment[] = [];
  const sums = new Map<string, bigint>([[orgCounter(directory, day), 0n]]);
  const agents = new Set([...directory.labels.keys(), ...(await notedAgents(store))]);
  for (const id of agents) sums.set(agentCounter(id, day), 0n);
  for await (const counter of knownCounters(store, "agent", { window: "day", start: day.start })) sums.set(counter, 0n);
  const named = [...sums.keys()];
  const first = await readCounters(store, named);
  const before = new Map(named.map((counter, i) => [counter, first[i] ?? 0n]));

  let looked = 0;
  for await (const { payment, findings, applied } of eachPayment(store, world, now, null, null)) {
    looked++;
    if (looked % PROGRESS_EVERY === 0) await onProgress(looked);
    if (findings === null || payment.payer === null) continue;
    const { owners } = findings.evidence;
    if (owners.length > 0) join(wallets, payment.payer, owners);
    const found = dayPayment(findings, applied, directory, day);
    if (found === null) continue;
    const { id, state, breaks, payer, apiId } = payment;
    payments.push({ id, state, breaks, wallet: payer, apiId, agentIds: owners, ...found });
    if (found.booked === null || owners.length === 0) continue;
    for (const counter of [orgCounter(directory, day), ...owners.map((id) => agentCounter(id, day))])
      sums.set(counter, (sums.get(counter) ?? 0n) + found.booked.amount);
  }
  await onProgress(looked);

  const names = [...sums.keys()].sort();
  const after = await readCounters(store, names);
  const counters = names
    .map((counter, i) => ({
      counter,
      before: before.get(counter) ?? 0n,
      after: after[i] ?? 0n,
      sum: sums.get(counter) ?? 0n,
    }))
    .filter((one) => one.after !== 0n || one.sum !== 0n);
  return { day, wallets, payments, counters };
}

/** What the table has of a payment, whatever day it is of. */
export interface TablePayment {
  readonly state: State;
  readonly bookedAt: string | null;
}

/** Payments by id; those that the table does not have are left out. */
export async function lookUpPayments(
  store: Store,
  world: CorrelateWorld,
  now: string,
  ids: readonly string[],
  onProgress: Progress = () => {},
): Promise<ReadonlyMap<string, TablePayment>> {
  const found = new Map<string, TablePayment>();
  for (const [i, id] of ids.entries()) {
    if (i % PROGRESS_EVERY === 0) await onProgress(i);
    const payment = await showById(store, world, now, id);
    if (payment !== null) found.set(id, { state: payment.state, bookedAt: payment.bookedAt });
  }
  return found;
}

/** How many of what was looked at. */
export type Progress = (done: number) => void | Promise<void>;

const PROGRESS_EVERY = 100;

type OfDay = Omit<DayPayment, "id" | "state" | "breaks" | "wallet" | "agentIds" | "apiId">;

/** Null for a payment of another day, of another chain, or of another token. */
function dayPayment(findings: Findings, applied: Effects, directory: Directory, day: Day): OfDay | null {
  const { evidence, claims, apiShould, agentSpoke, apiSpoke } = findings;
  const { key, settlement } = evidence;
  const asset = key?.method === "eip3009" ? key.asset : settlement?.asset;
  if (key === null || key.chainId !== directory.chainId || asset !== directory.asset) return null;
  const isIn = (at: string | null): at is string => at !== null && at >= day.start && at < day.end;
  const signed = claims.largestSigned?.amount ?? null;
  const verified = largest(claims.verified)?.amount ?? null;

  if (settlement !== null) {
    if (!isIn(settlement.at)) return null;
    const amount = BigInt(settlement.amount);
    const said = (claimed: bigint | null): bigint =>
      claimed === null || (claims.upto && claimed > amount) ? amount : claimed;
    const booked = { at: settlement.at, blockNumber: settlement.blockNumber, amount };
    const agentSaid = agentSpoke ? said(signed) : null;
    return { booked, agentSaid, apiSaid: apiSpoke ? said(verified) : null, apiShould, held: 0n, heldUntil: null };
  }
  const agentSaid = isIn(agentPaidAt(findings)) ? signed : null;
  const apiSaid = isIn(apiPaidAt(findings)) ? verified : null;
  const isSigned = isIn(claims.firstAt);
  const [owner] = evidence.owners;
  const counter = heldCounter(scopeName({ kind: "agent", id: owner ?? "" }));
  const held = isSigned && owner !== undefined ? (applied[counter] ?? 0n) : 0n;
  if (agentSaid === null && apiSaid === null && !isSigned) return null;
  return { booked: null, agentSaid, apiSaid, apiShould, held, heldUntil: held > 0n ? untilOf(findings) : null };
}

/** When the agent said first that an unsettled payment is settled. */
function agentPaidAt({ evidence }: Findings): string | null {
  const answers = ofType([...evidence.agent, ...evidence.joined], "agent.response_received");
  return firstOf(answers, (value) => value.settled === true);
}

function apiPaidAt({ evidence }: Findings): string | null {
  return firstOf(ofType([...evidence.api, ...evidence.joined], "api.transaction_confirmed"), () => true);
}

function firstOf(
  entries: readonly Entry[],
  passes: (value: Entry["values"][number]["value"]) => boolean,
): string | null {
  const times = entries.flatMap(({ values }) => values.filter(({ value }) => passes(value)).map(({ at }) => at));
  return times.sort()[0] ?? null;
}

/** The greatest validBefore as ISO-8601; null for what no calendar of four digits holds. */
function untilOf({ evidence }: Findings): string | null {
  const seconds = validBeforeOf(evidence);
  return seconds === null || BigInt(seconds) > SECONDS_MAX ? null : new Date(Number(seconds) * 1000).toISOString();
}

/** The end of the year 9999. */
const SECONDS_MAX = 253_402_300_799n;

function join(wallets: Map<string, readonly string[]>, wallet: string, owners: readonly string[]): void {
  const before = wallets.get(wallet) ?? [];
  if (owners.every((owner) => before.includes(owner))) return;
  wallets.set(wallet, [...new Set([...before, ...owners])].sort());
}

const agentCounter = (id: string, { start }: Day): string =>
  spentCounter(scopeName({ kind: "agent", id }), "day", start);
const orgCounter = ({ org }: Directory, { start }: Day): string =>
  spentCounter(scopeName({ kind: "org", id: org }), "day", start);
