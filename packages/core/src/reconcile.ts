/**
 * `reconcile`: one day's balance, three ways. What the agents say they paid, what the APIs say they got, what the chain
 * says left the wallets, beside what the books have. Pure. Equal means equal to the unit; where it is not, each payment
 * that makes the difference is named: the sum of the named differences of a wallet is the wallet's difference.
 */
import type { Break, Session, State } from "@bursar/events/shapes";
import type { ChainDay, WalletBalances } from "./chain-day.ts";
import type { DayBooks, DayPayment, TablePayment } from "./day-books.ts";
import { addTo, emptyTally, type Figure, figureOf, figures, type Tally } from "./day-tally.ts";
import { type Difference, differencesOf } from "./differences.ts";

/** Amounts are atomic units, decimal. */
export interface Balance {
  /** What the agents told of, settled or said to be. */
  readonly agent: Figure;
  /** What the APIs told of. */
  readonly api: Figure;
  /** What left the wallet; null where the chain was not asked. */
  readonly chain: Figure | null;
  readonly books: Figure;
  /** Chain less books; null where the chain was not asked. */
  readonly difference: string | null;
  /** Booked, and the agent told nothing of it. */
  readonly agentSilent: Figure;
  /** Booked, and the payee is an API of the config that told nothing of it. */
  readonly apiSilent: Figure;
  /** Booked, and paid to somebody who is no API of the config and told nothing. */
  readonly elsewhere: Figure;
  /** Signed that day and may still settle. */
  readonly held: Figure;
}

export interface WalletBalance extends Balance {
  readonly wallet: string;
  readonly agentIds: readonly string[];
  readonly usdc: Proof | null;
}

export interface AgentBalance extends Balance {
  readonly agentId: string;
}

/** USDC's own figures: opening + incoming - outgoing = closing, but for what is unexplained. */
export interface Proof {
  readonly opening: string;
  readonly incoming: string;
  readonly outgoing: string;
  readonly closing: string;
  readonly unexplained: string;
}

/** A payment of which agent or API says that it was paid, and neither chain nor books have it. */
export interface OnlySaid {
  readonly id: string;
  readonly wallet: string;
  readonly agentIds: readonly string[];
  readonly state: State;
  readonly agent: string | null;
  readonly api: string | null;
}

export interface Reconciliation {
  readonly day: string;
  /** Null where the chain was not asked. */
  readonly chain: {
    readonly blocks: ChainDay["blocks"];
    readonly endAt: string | null;
    readonly isOver: boolean;
    readonly unread: number;
    readonly unproved: string | null;
  } | null;
  /** By address. */
  readonly wallets: readonly WalletBalance[];
  /** By id. A wallet that two agents claim counts for both. */
  readonly agents: readonly AgentBalance[];
  /** Of the wallets, each once. */
  readonly total: Balance;
  /** Booked after the last block that was read: compared with nothing. */
  readonly after: Figure;
  /** Paid to APIs of ours from wallets that nobody governs. */
  readonly outsiders: Figure;
  readonly differences: readonly Difference[];
  readonly onlySaid: readonly OnlySaid[];
  /** Payments of the day by break; one with two breaks counts in both. Alphabetical. */
  readonly breaks: readonly ({ readonly rule: Break } & Figure)[];
  /** The latest time until which what is held may settle. */
  readonly heldUntil: string | null;
  readonly counters: {
    readonly checked: number;
    /** Counters of agents and organisation by day that are not the sum of the day's payments. */
    readonly wrong: readonly { readonly counter: string; readonly kept: string; readonly counted: string }[];
  };
  /** Sessions of the day that AgentCore was asked about; those of which it counts otherwise than the books. */
  readonly agentCore: { readonly sessions: number; readonly drifts: readonly Session[] };
  /** Chain and books are equal to the unit, balances and counters too; null where the chain was not asked. */
  readonly equal: boolean | null;
}

export interface Stories {
  readonly books: DayBooks;
  /** Null where the chain was not asked. */
  readonly chain: ChainDay | null;
  /** What the table has of movements that the day's books have not: by id. */
  readonly table: ReadonlyMap<string, TablePayment>;
  /** The sessions that lived in the day. */
  readonly sessions: readonly Session[];
}

/** The movements of which the table has to be asked apart: the day's books do not have them. */
export function unbooked(books: DayBooks, chain: ChainDay): readonly string[] {
  const booked = new Set(books.payments.flatMap(({ id, booked }) => (booked === null ? [] : [id])));
  return chain.movements.flatMap(({ id }) => (booked.has(id) ? [] : [id]));
}

export function reconcile({ books, chain, table, sessions }: Stories): Reconciliation {
  const wallets = new Map<string, Tally>([...books.wallets.keys()].map((wallet) => [wallet, emptyTally()]));
  const agents = new Map<string, Tally>([...books.wallets.values()].flat().map((id) => [id, emptyTally()]));
  const total = emptyTally();
  const tallies = (wallet: string): Tally[] => {
    const owners = books.wallets.get(wallet);
    if (owners === undefined) return [];
    return [wallets.get(wallet), ...owners.map((id) => agents.get(id)), total].filter((tally) => tally !== undefined);
  };

  const after = figures();
  const outsiders = figures();
  const breaks = new Map<Break, ReturnType<typeof figures>>();
  const compared = new Map<string, DayPayment>();
  let heldUntil: string | null = null;
  for (const payment of books.payments) {
    const { id, wallet, booked, agentSaid, apiSaid } = payment;
    const amount = booked?.amount ?? agentSaid ?? apiSaid ?? payment.held;
    for (const rule of payment.breaks) {
      const figure = breaks.get(rule) ?? figures();
      breaks.set(rule, figure);
      addTo(figure, amount);
    }
    if (!wallets.has(wallet)) {
      if (booked !== null) addTo(outsiders, booked.amount);
      continue;
    }
    if (booked !== null && isAfter(booked, chain)) {
      addTo(after, booked.amount);
      continue;
    }
    if (booked !== null) compared.set(id, payment);
    if (payment.heldUntil !== null && (heldUntil === null || payment.heldUntil > heldUntil))
      heldUntil = payment.heldUntil;
    for (const tally of tallies(wallet)) take(tally, payment);
  }
  const outgoing = new Map<string, bigint>();
  for (const { wallet, payee, amount } of chain?.movements ?? []) {
    for (const tally of tallies(wallet)) addTo(tally.chain, amount);
    if (payee !== wallet) outgoing.set(wallet, (outgoing.get(wallet) ?? 0n) + amount);
  }

  const isAsked = chain !== null;
  const differences = chain === null ? [] : differencesOf(compared, chain, table, books);
  const rows = [...wallets].sort(byName).map(([wallet, tally]) => ({
    wallet,
    agentIds: books.wallets.get(wallet) ?? [],
    ...balanceOf(tally, isAsked),
    usdc: proofOf(chain?.balances?.get(wallet), outgoing.get(wallet) ?? 0n),
  }));
  const wrong = books.counters.filter(isWrong).map(({ counter, after: kept, sum }) => ({
    counter,
    kept: kept.toString(),
    counted: sum.toString(),
  }));
  const read = sessions.filter(({ drift }) => drift !== null);
  const explained = rows.every(({ usdc }) => usdc === null || usdc.unexplained === "0");
  return {
    day: books.day.name,
    chain: chain && {
      blocks: chain.blocks,
      endAt: chain.endAt,
      isOver: chain.isOver,
      unread: chain.unread,
      unproved: chain.unproved,
    },
    wallets: rows,
    agents: [...agents].sort(byName).map(([agentId, tally]) => ({ agentId, ...balanceOf(tally, isAsked) })),
    total: balanceOf(total, isAsked),
    after: figureOf(after),
    outsiders: figureOf(outsiders),
    differences,
    onlySaid: onlySaidOf(books.payments),
    breaks: [...breaks].sort(byName).map(([rule, figure]) => ({ rule, ...figureOf(figure) })),
    heldUntil,
    counters: { checked: books.counters.length, wrong },
    agentCore: { sessions: read.length, drifts: read.filter(({ drift }) => drift !== "0") },
    equal: isAsked ? differences.length === 0 && wrong.length === 0 && explained : null,
  };
}

/** In a day that is not over, or not read to its end, what was booked behind the last block read is compared later. */
function isAfter({ blockNumber }: { blockNumber: number }, chain: ChainDay | null): boolean {
  if (chain === null) return false;
  const isWhole = chain.isOver && chain.unread === 0;
  return !isWhole && (chain.blocks === null || blockNumber > chain.blocks.to);
}

function take(tally: Tally, { booked, agentSaid, apiSaid, apiShould, held }: DayPayment): void {
  if (agentSaid !== null) addTo(tally.agent, agentSaid);
  if (apiSaid !== null) addTo(tally.api, apiSaid);
  if (held > 0n) addTo(tally.held, held);
  if (booked === null) return;
  addTo(tally.books, booked.amount);
  if (agentSaid === null) addTo(tally.agentSilent, booked.amount);
  if (apiSaid === null) addTo(apiShould ? tally.apiSilent : tally.elsewhere, booked.amount);
}

function balanceOf(tally: Tally, isAsked: boolean): Balance {
  return {
    agent: figureOf(tally.agent),
    api: figureOf(tally.api),
    chain: isAsked ? figureOf(tally.chain) : null,
    books: figureOf(tally.books),
    difference: isAsked ? (tally.chain.amount - tally.books.amount).toString() : null,
    agentSilent: figureOf(tally.agentSilent),
    apiSilent: figureOf(tally.apiSilent),
    elsewhere: figureOf(tally.elsewhere),
    held: figureOf(tally.held),
  };
}

function proofOf(balances: WalletBalances | undefined, outgoing: bigint): Proof | null {
  if (balances === undefined) return null;
  const { opening, incoming, closing } = balances;
  return {
    opening: opening.toString(),
    incoming: incoming.toString(),
    outgoing: outgoing.toString(),
    closing: closing.toString(),
    unexplained: (closing - (opening + incoming - outgoing)).toString(),
  };
}

function onlySaidOf(payments: readonly DayPayment[]): OnlySaid[] {
  return payments.flatMap(({ id, wallet, agentIds, state, booked, agentSaid, apiSaid }) =>
    booked !== null || (agentSaid === null && apiSaid === null)
      ? []
      : [{ id, wallet, agentIds, state, agent: text(agentSaid), api: text(apiSaid) }],
  );
}

/** A counter that moves while payments are read is right where the sum lies between what it was and what it is. */
function isWrong({ before, after, sum }: DayBooks["counters"][number]): boolean {
  const [least, most] = before < after ? [before, after] : [after, before];
  return sum < least || sum > most;
}

const text = (amount: bigint | null): string | null => amount?.toString() ?? null;

function byName([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1;
}
