/** The story of a payment, one entry per distinct fact, and where a person looks its transaction up. */
import { chainById } from "@bursar/events/chains";
import type { TimelineEntry } from "@bursar/events/shapes";
import type { Entry } from "./evidence.ts";

/** By (at, source, type). */
export function timelineOf(entries: readonly Entry[]): TimelineEntry[] {
  const timeline: TimelineEntry[] = [];
  for (const { type, kind, who, values } of entries) {
    if (type === "wallet.claimed") continue;
    const source = who === "" ? `bursar.${kind}` : `bursar.${kind}.${who}`;
    for (const { at, value } of values)
      timeline.push({ at, source, type: type === "?" ? (value.type as string) : type });
  }
  return timeline.sort((a, b) => order(a.at, b.at) || order(a.source, b.source) || order(a.type, b.type));
}

/** Built from validated hex only; null where no explorer of the chain is known. */
export function explorerUrl(chainId: number, txHash: string): string | null {
  const chain = chainById(chainId);
  return chain !== undefined && /^0x[0-9a-f]{64}$/.test(txHash) ? `${chain.explorerTx}${txHash}` : null;
}

const order = (a: string, b: string): number => (a === b ? 0 : a < b ? -1 : 1);
