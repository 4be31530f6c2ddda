/**
 * What of the chain the table has already. Where the watcher's journal does not reach any more, such as in a backfill,
 * it hands on only what the table lacks: else each reading of the same past would be told as one more fact.
 */
import { paymentKey } from "./items.ts";
import type { Store } from "./ports.ts";
import { load } from "./record.ts";
import { liveLogs } from "./settlement.ts";

/** One log that moved USDC. */
export interface ChainLog {
  readonly txHash: string;
  readonly logIndex: number;
  readonly blockHash: string;
}

/** Those of the logs that do not stand in the table as they are on the chain. */
export async function lackingLogs<Log extends ChainLog>(
  store: Pick<Store, "get">,
  logs: readonly Log[],
  paymentIdOf: (log: Log) => string,
): Promise<readonly Log[]> {
  if (logs.length === 0) return [];
  const ids = logs.map(paymentIdOf);
  const stored = await store.get(ids.map(paymentKey));
  return logs.filter(({ txHash, logIndex, blockHash }, i) => {
    const { payment } = load(ids[i] as string, stored[i]);
    return !liveLogs(payment.own).some(
      (live) => live.txHash === txHash && live.logIndex === logIndex && live.blockHash === blockHash,
    );
  });
}
