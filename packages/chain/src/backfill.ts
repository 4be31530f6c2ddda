/** The past that somebody wants read once more, or for the first time: queued in the cursor, read by the watcher's rounds. */
import type { Store } from "@bursar/core/ports";
import { type Backfill, CursorConflict, readCursor, writeCursor } from "./cursor.ts";
import { BACKFILLS_MAX, writeJobs } from "./wallets.ts";

/** Tries against a watcher that moves the cursor all the time. */
const TRIES_MAX = 20;

/** What is queued; null where there is nothing to read: nothing was read yet, or not so far. */
export async function addBackfill(
  store: Pick<Store, "get" | "commit" | "putAll">,
  chainId: number,
  fromBlock: number,
  wallets: readonly string[] | null,
): Promise<Backfill | null> {
  for (let tries = 1; ; tries++) {
    const held = await readCursor(store, chainId);
    if (held === undefined || fromBlock > held.cursor.scanned) return null;
    if (held.cursor.backfills.length >= BACKFILLS_MAX)
      throw new Error(`${BACKFILLS_MAX} pasts wait to be read already: wait until they are`);
    const past = { next: fromBlock, to: held.cursor.scanned };
    const [named] = wallets === null ? [] : await writeJobs(store, chainId, [{ ...past, wallets }]);
    const job: Backfill = named ?? { id: null, ...past };
    try {
      await writeCursor(store, chainId, held, { ...held.cursor, backfills: [...held.cursor.backfills, job] });
      return job;
    } catch (error) {
      if (!(error instanceof CursorConflict) || tries === TRIES_MAX) throw error;
    }
  }
}
