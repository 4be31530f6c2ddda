/** What became of transactions that someone claimed and the logs did not show: reverted, or in a block that was not read. */
import type { EventOf } from "@bursar/events/contract";
import { decodeErrorResult, type Hex, parseAbi } from "viem";
import { parseBlock, type RawBlock } from "./block.ts";
import { type Call, type ChainClient, hostOf, requestSplit } from "./client.ts";
import { RpcError } from "./rpc-error.ts";

/** Hashes asked in one call of `findOutcomes`; the rest waits for the next. */
export const RECEIPTS_MAX = 100;

interface RawReceipt {
  readonly status: string;
  readonly transactionHash: string;
  readonly blockNumber: string;
  readonly blockHash: string;
}

interface RawTransaction {
  readonly from: string;
  readonly to: string | null;
  readonly input: string;
  readonly value: string;
}

export interface Outcomes {
  readonly reverted: readonly EventOf<"chain.reverted">[];
  /** The block of each transaction that went through. */
  readonly succeeded: ReadonlyMap<string, number>;
}

/**
 * Which of the hashes reverted, with the reason where the node can still tell it, and where those that did not stand.
 * A hash without a receipt is no finding: it may be waiting, or unknown to this node.
 * @throws {RpcError}
 */
export async function findOutcomes(client: ChainClient, hashes: readonly string[]): Promise<Outcomes> {
  const asked = [...new Set(hashes)].slice(0, RECEIPTS_MAX);
  if (asked.length === 0) return { reverted: [], succeeded: new Map() };
  const receipts = await requestSplit(
    client,
    asked.map((hash) => ({ method: "eth_getTransactionReceipt", params: [hash] })),
  );
  const mined = (receipts as readonly (RawReceipt | null)[]).filter((receipt) => receipt !== null);
  const succeeded = new Map(
    mined
      .filter(({ status }) => status === "0x1")
      .map(({ transactionHash, blockNumber }) => [transactionHash.toLowerCase(), Number(blockNumber)]),
  );
  const reverted = mined.filter(({ status }) => status === "0x0");
  if (reverted.length === 0) return { reverted: [], succeeded };
  const details = await requestSplit(
    client,
    reverted.flatMap((receipt): Call[] => [
      { method: "eth_getBlockByHash", params: [receipt.blockHash, false] },
      { method: "eth_getTransactionByHash", params: [receipt.transactionHash] },
    ]),
  );
  const host = hostOf(client);
  const reasons = await reasonsOf(
    client,
    reverted.map((receipt, index) => ({ receipt, transaction: details[index * 2 + 1] as RawTransaction | null })),
  );
  const found: EventOf<"chain.reverted">[] = [];
  for (const [index, receipt] of reverted.entries()) {
    const block = details[index * 2] as RawBlock | null;
    if (block === null) continue; // a reorg came between: the next round asks again
    const txHash = receipt.transactionHash.toLowerCase();
    const reason = reasons[index];
    found.push({
      type: "chain.reverted",
      id: `reverted:${client.chainId}:${receipt.blockHash}:${txHash}`,
      at: parseBlock(block, host).at,
      chainId: client.chainId,
      txHash,
      blockNumber: Number(receipt.blockNumber),
      ...(reason === undefined ? {} : { reason }),
    });
  }
  return { reverted: found, succeeded };
}

const ERRORS = parseAbi(["error Error(string)", "error Panic(uint256)"]);

interface Reverted {
  readonly receipt: RawReceipt;
  readonly transaction: RawTransaction | null;
}

/**
 * Why each reverted, by running it again on the state its block left: not the very state it ran on, but what refuses an
 * authorization there (used, expired, no balance) refuses it here. Undefined where it would go through now, or the node
 * cannot run it.
 */
async function reasonsOf(client: ChainClient, all: readonly Reverted[]): Promise<readonly (string | undefined)[]> {
  const run = all.map(({ receipt, transaction }): Call | null => {
    if (transaction?.to == null) return null;
    const { from, to, input, value } = transaction;
    return { method: "eth_call", params: [{ from, to, data: input, value }, receipt.blockNumber] };
  });
  const calls = run.filter((call) => call !== null);
  // A revert is worth telling without its reason: a node without old states must not hold it up.
  const answers = calls.length === 0 ? [] : await requestSplit(client, calls).catch(() => []);
  let next = 0;
  return run.map((call) => {
    const answer = call === null ? undefined : answers[next++];
    return answer instanceof RpcError && answer.data !== undefined ? decodedReason(answer.data) : undefined;
  });
}

function decodedReason(data: string): string | undefined {
  try {
    const { errorName, args } = decodeErrorResult({ abi: ERRORS, data: data as Hex });
    return (errorName === "Error" ? String(args[0]) : `panic ${args[0]}`).slice(0, 256);
  } catch {
    return undefined;
  }
}
