/** What a receiver of the watcher's facts holds in the end, to be compared with what the chain holds. */
import type { Devnet } from "@bursar/demo/devnet";
import { outflows } from "@bursar/demo/outflows";
import type { Event } from "@bursar/events/contract";
import { type PaymentKey, paymentId } from "@bursar/events/ids";

export interface Receiver {
  take(event: Event): void;
  /** One line for each movement that stands, sorted: payment, hash, log and block. */
  live(): readonly string[];
}

/** The contract's registers: per (payment, txHash, logIndex) the highest seq wins, on a tie orphaned wins. */
export function receiver(): Receiver {
  const registers = new Map<string, { seq: number; block: string | null }>();
  return {
    take(event) {
      if (event.type !== "chain.settled" && event.type !== "chain.transferred" && event.type !== "chain.orphaned")
        return;
      const key = `${paymentId(keyOf(event))} ${event.txHash} ${event.logIndex}`;
      const seq = event.seq as number;
      const old = registers.get(key);
      const gone = event.type === "chain.orphaned";
      if (old !== undefined && (seq < old.seq || (seq === old.seq && !gone))) return;
      registers.set(key, { seq, block: gone ? null : event.blockHash });
    },
    live: () =>
      [...registers]
        .filter(([, { block }]) => block !== null)
        .map(([key, { block }]) => `${key} ${block}`)
        .sort(),
  };
}

type Movement = Extract<Event, { type: "chain.settled" | "chain.transferred" | "chain.orphaned" }>;

function keyOf(event: Movement): PaymentKey {
  if (event.type !== "chain.transferred") return event.payment;
  return { method: "transfer", chainId: event.chainId, txHash: event.txHash, logIndex: event.logIndex };
}

/** The same lines as the chain itself gives them, read from its own node without our code. */
export async function heldByChain(devnet: Devnet, wallets: readonly string[], fromBlock: number): Promise<string[]> {
  const found = await outflows(devnet.client, wallets, fromBlock);
  return found.map(({ id, txHash, logIndex, blockHash }) => `${id} ${txHash} ${logIndex} ${blockHash}`).sort();
}

/** Whether the chain's own node still has this block where it belongs. */
export async function isOnChain(devnet: Devnet, blockHash: string): Promise<boolean> {
  const block = async (method: string, which: string) =>
    (await devnet.client.request({ method, params: [which, false] })) as { number: string; hash: string } | null;
  const there = await block("eth_getBlockByHash", blockHash);
  return there !== null && (await block("eth_getBlockByNumber", there.number))?.hash === blockHash;
}
