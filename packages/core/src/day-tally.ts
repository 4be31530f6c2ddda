/** Counts and sums of one day's balance, while they are added up and as they are shown. */
import type { DayPayment } from "./day-books.ts";

/** Amounts are atomic units, decimal. */
export interface Figure {
  readonly count: number;
  readonly amount: string;
}

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

interface Sum {
  count: number;
  amount: bigint;
}

export interface Tally {
  readonly agent: Sum;
  readonly api: Sum;
  readonly chain: Sum;
  readonly books: Sum;
  readonly agentSilent: Sum;
  readonly apiSilent: Sum;
  readonly elsewhere: Sum;
  readonly held: Sum;
}

export const figures = (): Sum => ({ count: 0, amount: 0n });

export function emptyTally(): Tally {
  return {
    agent: figures(),
    api: figures(),
    chain: figures(),
    books: figures(),
    agentSilent: figures(),
    apiSilent: figures(),
    elsewhere: figures(),
    held: figures(),
  };
}

export function addTo(sum: Sum, amount: bigint): void {
  sum.count++;
  sum.amount += amount;
}

export const figureOf = ({ count, amount }: Sum): Figure => ({ count, amount: amount.toString() });

/** Takes a payment in. */
export function take(tally: Tally, { booked, agentSaid, apiSaid, apiShould, held }: DayPayment): void {
  if (agentSaid !== null) addTo(tally.agent, agentSaid);
  if (apiSaid !== null) addTo(tally.api, apiSaid);
  if (held > 0n) addTo(tally.held, held);
  if (booked === null) return;
  addTo(tally.books, booked.amount);
  if (agentSaid === null) addTo(tally.agentSilent, booked.amount);
  if (apiSaid === null) addTo(apiShould ? tally.apiSilent : tally.elsewhere, booked.amount);
}

/** What was added up; `isAsked` where the chain was. */
export function balanceOf(tally: Tally, isAsked: boolean): Balance {
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
