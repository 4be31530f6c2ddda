/** What a receiver of the watcher's facts holds in the end, to be compared with what the chain holds. */
import type { Devnet } from "@bursar/demo/devnet";
import type { RawLog } from "@bursar/demo/rpc-views";
import type { Event } from "@bursar/events/contract";
import { type PaymentKey, paymentId } from "@bursar/events/ids";
import { AUTHORIZATION_USED, TRANSFER } from "../src/logs.ts";

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

/**
 * The same lines as the chain itself gives them, read from its own node without our code: USDC logs each authorization
 * right before its transfer, so a transfer is one's if the log before it says so.
 */
export async function heldByChain(
  devnet: Devnet,
  wallets: readonly string[],
  fromBlock: number,
): Promise<readonly string[]> {
  const logs = (await devnet.client.request({
    method: "eth_getLogs",
    params: [
      {
        address: devnet.usdc,
        fromBlock: `0x${fromBlock.toString(16)}`,
        toBlock: "latest",
        topics: [[TRANSFER, AUTHORIZATION_USED], wallets.map((wallet) => `0x${wallet.slice(2).padStart(64, "0")}`)],
      },
    ],
  })) as readonly RawLog[];
  const used = new Map(
    logs
      .filter(({ topics }) => topics[0] === AUTHORIZATION_USED)
      .map((log) => [`${log.blockHash} ${Number(log.logIndex)} ${log.topics[1]}`, log.topics[2] as string]),
  );
  const lines: string[] = [];
  for (const log of logs) {
    const [topic, from = "", to = ""] = log.topics;
    if (topic !== TRANSFER) continue;
    const { transactionHash: txHash, blockHash } = log;
    const logIndex = Number(log.logIndex);
    const nonce = used.get(`${blockHash} ${logIndex - 1} ${from}`);
    if (nonce === undefined && (BigInt(log.data) === 0n || from === to)) continue;
    const chainId = 42161;
    const payer = `0x${from.slice(-40)}`;
    const id = paymentId(
      nonce === undefined
        ? { method: "transfer", chainId, txHash, logIndex }
        : { method: "eip3009", chainId, asset: devnet.usdc, payer, nonce },
    );
    lines.push(`${id} ${txHash} ${logIndex} ${blockHash}`);
  }
  return lines.sort();
}

/** Whether the chain's own node still has this block where it belongs. */
export async function isOnChain(devnet: Devnet, blockHash: string): Promise<boolean> {
  const block = async (method: string, which: string) =>
    (await devnet.client.request({ method, params: [which, false] })) as { number: string; hash: string } | null;
  const there = await block("eth_getBlockByHash", blockHash);
  return there !== null && (await block("eth_getBlockByNumber", there.number))?.hash === blockHash;
}
