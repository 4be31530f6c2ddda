/**
 * What became of an authorization that is used, or cancelled, and whose log no pass has shown: it was before the wallet
 * was watched. Looked for further and further back, a range a time.
 */
import type { EventOf } from "@bursar/events/contract";
import type { Eip3009Key } from "@bursar/events/ids";
import { parseBlock, type RawBlock } from "./block.ts";
import { type Call, type ChainClient, hostOf, quantity, requestSplit } from "./client.ts";
import { SPAN_MAX } from "./cursor.ts";
import { AUTHORIZATION_CANCELED, AUTHORIZATION_USED, parseLogs, type RawLog } from "./logs.ts";
import { word } from "./scan.ts";

/** An authorization to look for, and how often that was done before. */
export interface Untraced {
  readonly payment: Eip3009Key;
  readonly tries: number;
}

export interface Traces {
  readonly cancelled: readonly EventOf<"chain.cancelled">[];
  /** Where the payers' settlements stand. */
  readonly used: readonly { readonly block: number; readonly payer: string }[];
}

/** Looks once for each, in a range that lies further back with each try. @throws {RpcError} */
export async function findTraces(
  client: ChainClient,
  asset: string,
  untraced: readonly Untraced[],
  scanned: number,
  safe: number,
): Promise<Traces> {
  const asked = untraced.filter(({ tries }) => scanned - tries * SPAN_MAX > -SPAN_MAX);
  if (asked.length === 0) return { cancelled: [], used: [] };
  const answers = await requestSplit(
    client,
    asked.map(({ payment, tries }): Call => {
      const to = scanned - tries * SPAN_MAX;
      const range = { fromBlock: quantity(Math.max(0, to - SPAN_MAX + 1)), toBlock: quantity(Math.max(0, to)) };
      const topics = [[AUTHORIZATION_USED, AUTHORIZATION_CANCELED], word(payment.payer), payment.nonce];
      return { method: "eth_getLogs", params: [{ address: asset, ...range, topics }] };
    }),
  );
  const host = hostOf(client);
  const found = asked.flatMap(({ payment }, i) => {
    const [log] = parseLogs(answers[i], host, asset);
    return log === undefined ? [] : [{ payment, log }];
  });
  const used = found
    .filter(({ log }) => log.topics[0] === AUTHORIZATION_USED)
    .map(({ payment, log }) => ({ block: Number(log.blockNumber), payer: payment.payer }));
  const gone = found.filter(({ log }) => log.topics[0] === AUTHORIZATION_CANCELED && Number(log.blockNumber) <= safe);
  return { used, cancelled: await cancellations(client, gone) };
}

async function cancellations(
  client: ChainClient,
  gone: readonly { readonly payment: Eip3009Key; readonly log: RawLog }[],
): Promise<EventOf<"chain.cancelled">[]> {
  const blocks = await requestSplit(
    client,
    gone.map(({ log }): Call => ({ method: "eth_getBlockByHash", params: [log.blockHash, false] })),
  );
  return gone.flatMap(({ payment, log }, i) => {
    const block = blocks[i] as RawBlock | null;
    if (block === null) return [];
    const [blockHash, txHash] = [log.blockHash.toLowerCase(), log.transactionHash.toLowerCase()];
    const id = `cancelled:${payment.chainId}:${blockHash}:${Number(log.logIndex)}`;
    const { at, number } = parseBlock(block, hostOf(client));
    return [{ type: "chain.cancelled" as const, id, at, payment, txHash, blockNumber: number }];
  });
}
