/**
 * `reconcile`: one day's balance, three ways. What the agents say they paid, what the APIs say they got, what the chain
 * says left the wallets, beside what the books have. Pure. Equal means equal to the unit; where it is not, each payment
 * that makes the difference is named: the sum of the named differences of a wallet is the wallet's difference.
 */
import type { Break, Session, State } from "@bursar/events/shapes";
import type { ChainDay, WalletBalances } from "./chain-day.ts";
import type { DayBooks, DayPayment, TablePayment } from "./day-books.ts";
import {
  addTo,
  type Balance,
  balanceOf,
  emptyTally,
  type Figure,
  figureOf,
  figures,
  type Tally,
  take,
} from "./day-tally.ts";
import { type Difference, differencesOf } from "./differences.ts";

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

/** A payment of which agent or API says another amount than was booked, or that it was paid though it is not. */
export interface SaidOtherwise {
  readonly id: string;
  readonly wallet: string;
  readonly agentIds: readonly string[];
  readonly state: State;
  /** Null where it is silent. */
  readonly agent: string | null;
  readonly api: string | null;
  /** Null where nothing is settled. */
  readonly booked: string | null;
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
  readonly saidOtherwise: readonly SaidOtherwise[];
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
    saidOtherwise: saidOtherwise(books.payments),
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

function saidOtherwise(payments: readonly DayPayment[]): SaidOtherwise[] {
  return payments.flatMap(({ id, wallet, agentIds, state, booked, agentSaid, apiSaid }) => {
    const settled = booked?.amount ?? null;
    if ([agentSaid, apiSaid].every((said) => said === null || said === settled)) return [];
    return [{ id, wallet, agentIds, state, agent: text(agentSaid), api: text(apiSaid), booked: text(settled) }];
  });
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
