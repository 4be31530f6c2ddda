/** Counts and sums of one day's balance, while they are added up and as they are shown. */

/** Amounts are atomic units, decimal. */
export interface Figure {
  readonly count: number;
  readonly amount: string;
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
