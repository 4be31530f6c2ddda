/** Where chain and books of one day are apart, payment by payment. */
import type { ChainDay, ChainMovement } from "./chain-day.ts";
import type { DayBooks, DayPayment, TablePayment } from "./day-books.ts";

/**
 * - `missing_in_books`: on the chain, and the table has it not, or not as settled.
 * - `missing_on_chain`: in the table, and the chain has no such movement in the day's blocks.
 * - `amount`: both have it, with other amounts.
 * - `another_day`: one of them has it in another day.
 */
export type DifferenceKind = "missing_in_books" | "missing_on_chain" | "amount" | "another_day";

export interface Difference {
  readonly kind: DifferenceKind;
  readonly id: string;
  readonly wallet: string;
  readonly agentIds: readonly string[];
  /** Null where it has none in this day. */
  readonly chain: string | null;
  readonly books: string | null;
  /** The block's time by whoever has it in this day; the chain where both do. */
  readonly at: string;
  readonly blockNumber: number;
  readonly txHash: string | null;
  /** What the table has of a payment that it has not booked in this day; null where it has none. */
  readonly table: TablePayment | null;
}

/**
 * The differences between the chain's movements and `compared`, what the books have of the day by id. `table` tells of
 * movements that the day's books do not have.
 */
export function differencesOf(
  compared: ReadonlyMap<string, DayPayment>,
  chain: ChainDay,
  table: ReadonlyMap<string, TablePayment>,
  { wallets, day }: DayBooks,
): Difference[] {
  const found: Difference[] = [];
  const seen = new Set<string>();
  for (const movement of chain.movements) {
    const payment = compared.get(movement.id);
    const isSame = payment?.wallet === movement.wallet;
    if (isSame) seen.add(movement.id);
    const books = isSame ? (payment?.booked?.amount ?? null) : null;
    if (books === movement.amount) continue;
    const known = table.get(movement.id) ?? null;
    const kind = books !== null ? "amount" : isElsewhere(known, day) ? "another_day" : "missing_in_books";
    found.push({
      kind,
      ...placeOf(movement),
      agentIds: wallets.get(movement.wallet) ?? [],
      books: books?.toString() ?? null,
      table: known,
    });
  }
  for (const { id, wallet, agentIds, booked } of compared.values()) {
    if (seen.has(id) || booked === null) continue;
    const { from, to } = chain.blocks ?? { from: 0, to: -1 };
    // The books name a block of another day though its time is of this one.
    const isIn = booked.blockNumber >= from && booked.blockNumber <= to;
    const { at, blockNumber } = booked;
    const kind = isIn || chain.blocks === null ? "missing_on_chain" : "another_day";
    const books = booked.amount.toString();
    found.push({ kind, id, wallet, agentIds, chain: null, books, at, blockNumber, txHash: null, table: null });
  }
  return found.sort((a, b) => a.blockNumber - b.blockNumber || (a.id < b.id ? -1 : 1));
}

const isElsewhere = (known: TablePayment | null, { start, end }: DayBooks["day"]): boolean =>
  known !== null && known.bookedAt !== null && (known.bookedAt < start || known.bookedAt >= end);

function placeOf({ id, wallet, amount, at, blockNumber, txHash }: ChainMovement) {
  return { id, wallet, chain: amount.toString(), at, blockNumber, txHash };
}
