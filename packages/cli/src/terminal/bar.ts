/** A budget as a bar: what is spent, what is held (signed, may still settle), what is free. */
import type { Signs } from "./style.ts";

/** `width` cells. What is there shows as at least one cell; a full bar means the limit is reached. */
export function bar(spent: bigint, held: bigint, limit: bigint, width: number, signs: Signs): string {
  const used = spent + held;
  const full = limit === 0n ? (used > 0n ? width : 0) : cells(used, limit, width);
  const solid =
    used === 0n ? 0 : Math.min(full, limit === 0n ? width : cells(spent, limit > used ? limit : used, width));
  // Held money must show beside a bar that is full of spent.
  const spentCells = held > 0n && solid === full && full > 0 ? full - 1 : solid;
  return signs.spent.repeat(spentCells) + signs.held.repeat(full - spentCells) + signs.free.repeat(width - full);
}

function cells(part: bigint, whole: bigint, width: number): number {
  if (part <= 0n) return 0;
  if (part >= whole) return width;
  return Math.min(width - 1, Math.max(1, Number((part * BigInt(width)) / whole)));
}
