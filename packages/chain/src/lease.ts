/**
 * One watcher at a time. The lease stands in the cursor: every commit of the cursor carries it and is made under the
 * version that was read, so a holder that slept past its lease commits nothing more; and what it may still hand on has
 * a lower seq than what its successor says.
 */
import type { Store } from "@bursar/core/ports";
import { CursorConflict, type HeldCursor, type Lease, readCursor, writeCursor } from "./cursor.ts";

/** How long a watcher that was killed keeps others waiting. */
export const LEASE_MS = 15_000;

/** The lease for `holder` at `now`: the present one where it is far from its end, else one that is to be written. */
export function leaseFor(lease: Lease | null, holder: string, now: string): Lease {
  const at = Date.parse(now);
  const until = new Date(at + LEASE_MS).toISOString();
  if (lease === null || lease.holder !== holder) {
    if (lease !== null && lease.until > now) throw new LeaseHeld(lease);
    return { holder, until, fence: (lease?.fence ?? 0) + 1 };
  }
  return Date.parse(lease.until) - at > LEASE_MS / 2 ? lease : { ...lease, until };
}

/** Gives the lease back, where it is `holder`'s: the next watcher need not wait for its end. */
export async function release(
  store: Pick<Store, "get" | "commit">,
  chainId: number,
  holder: string,
  now: string,
): Promise<void> {
  const held: HeldCursor | undefined = await readCursor(store, chainId);
  const lease = held?.cursor.lease;
  if (held === undefined || lease == null || lease.holder !== holder) return;
  try {
    await writeCursor(store, chainId, held, { ...held.cursor, lease: { ...lease, until: now } });
  } catch (error) {
    if (!(error instanceof CursorConflict)) throw error; // somebody has it already
  }
}

/** Another watcher holds the cursor: this one stands by. */
export class LeaseHeld extends Error {
  override readonly name = "LeaseHeld";
  readonly holder: string;
  /** ISO-8601. */
  readonly until: string;

  constructor({ holder, until }: Lease) {
    super(`another watcher (${holder}) reads this chain until ${until}: this one stands by`);
    this.holder = holder;
    this.until = until;
  }
}
