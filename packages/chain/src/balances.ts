/**
 * Balances of many wallets at one block, in as few calls as may be: Multicall3 asks the token for each wallet's balance,
 * whether it is blacklisted, and once whether the token is paused. The block goes in the same JSON-RPC batch, so that
 * whoever compares two readings knows that both are of one chain.
 */
import type { BalanceReading, Balances, WalletReading } from "@bursar/core/ports";
import { type Address, decodeFunctionResult, encodeFunctionData, type Hex, multicall3Abi, parseAbi } from "viem";
import { parseBlock, type RawBlock } from "./block.ts";
import { type ChainClient, complainOfLast, hostOf, quantity, requestTogether } from "./client.ts";
import { MULTICALL3 } from "./multicall3.ts";
import { RpcError, rpcErrorOf } from "./rpc-error.ts";

/** Of Circle's FiatTokenV2_2; a token may lack the last two. */
const TOKEN = parseAbi([
  "function balanceOf(address account) view returns (uint256)",
  "function isBlacklisted(address account) view returns (bool)",
  "function paused() view returns (bool)",
]);
/** Wallets of one eth_call: about 350 KB of calldata as hex, and a fifth of the gas that geth gives a call. */
export const WALLETS_PER_READ = 400;

/** Balances of `asset`, lower case, as `client` reads them. @throws {RpcError} from `read` */
export function chainBalances(client: ChainClient, asset: string): Balances {
  return {
    async read(wallets, block, earlier) {
      const asked = [...new Set(wallets)];
      const parts: BalanceReading[] = [];
      for (let i = 0; i < asked.length; i += WALLETS_PER_READ)
        parts.push(await readPart(client, asset, asked.slice(i, i + WALLETS_PER_READ), block, earlier));
      return joined(client, block, parts);
    },
  };
}

/** Asks the most trusted node, and another where that one lacks the block. */
async function readPart(
  client: ChainClient,
  asset: string,
  wallets: readonly string[],
  block: number,
  earlier: readonly number[],
): Promise<BalanceReading> {
  const numbers = [block, ...earlier];
  const calls = [
    { method: "eth_call", params: [{ to: MULTICALL3, data: questions(asset, wallets) }, quantity(block)] },
    ...numbers.map((number) => ({ method: "eth_getBlockByNumber", params: [quantity(number), false] })),
  ];
  for (let turn = 1; ; turn++) {
    const [answer, ...blocks] = await requestTogether(client, calls);
    const host = hostOf(client);
    const hashes = hashesOf(numbers, blocks, host);
    // Some nodes answer for their newest block where they lack the one that was asked for.
    if (hashes.has(block)) return readingOf(answer, wallets, block, hashes, host);
    complainOfLast(client);
    if (turn >= client.endpoints.length) throw new RpcError("unavailable", host, `does not have block ${block}`);
  }
}

function hashesOf(numbers: readonly number[], blocks: readonly unknown[], host: string): ReadonlyMap<number, string> {
  const hashes = new Map<number, string>();
  for (const [i, raw] of blocks.entries()) {
    if (raw === null || raw === undefined) continue;
    const { number, hash } = parseBlock(raw as RawBlock, host);
    if (number === numbers[i]) hashes.set(number, hash);
  }
  return hashes;
}

function readingOf(
  answer: unknown,
  wallets: readonly string[],
  block: number,
  hashes: ReadonlyMap<number, string>,
  host: string,
): BalanceReading {
  const [paused, ...words] = answers(answer, wallets.length * 2 + 1, host);
  return {
    block,
    hashes,
    paused: asBool(paused),
    wallets: new Map(
      wallets.map((wallet, i): [string, WalletReading] => [
        wallet,
        { balance: asUint(words[i * 2]), blacklisted: asBool(words[i * 2 + 1]) },
      ]),
    ),
  };
}

function questions(asset: string, wallets: readonly string[]): Hex {
  const ask = (callData: Hex) => ({ target: asset as Address, allowFailure: true, callData });
  const each = wallets.flatMap((wallet) => {
    const args = [wallet as Address] as const;
    return [
      ask(encodeFunctionData({ abi: TOKEN, functionName: "balanceOf", args })),
      ask(encodeFunctionData({ abi: TOKEN, functionName: "isBlacklisted", args })),
    ];
  });
  const paused = ask(encodeFunctionData({ abi: TOKEN, functionName: "paused" }));
  return encodeFunctionData({ abi: multicall3Abi, functionName: "aggregate3", args: [[paused, ...each]] });
}

/** One word for each question; null where the token refused it or has no such function. */
function answers(data: unknown, count: number, host: string): readonly (Hex | null)[] {
  let results: readonly { readonly success: boolean; readonly returnData: Hex }[];
  try {
    results = decodeFunctionResult({ abi: multicall3Abi, functionName: "aggregate3", data: data as Hex });
  } catch (error) {
    if (data === "0x")
      throw new RpcError("config", host, `has no Multicall3 at ${MULTICALL3}: is it this chain's node?`);
    throw rpcErrorOf(host, error, "eth_call");
  }
  if (results.length !== count)
    throw new RpcError("unavailable", host, `answered ${results.length} of ${count} questions about balances`);
  return results.map(({ success, returnData }) => (success && WORD.test(returnData) ? returnData : null));
}

const WORD = /^0x[0-9a-f]{64}$/i;

const asUint = (word: Hex | null | undefined): bigint | null => (word == null ? null : BigInt(word));

function asBool(word: Hex | null | undefined): boolean | null {
  const value = asUint(word);
  return value === 0n ? false : value === 1n ? true : null;
}

/** Parts of one reading must be of one chain: a reorg may come between two calls, and two nodes may differ. */
function joined(client: ChainClient, block: number, parts: readonly BalanceReading[]): BalanceReading {
  const hashes = new Map<number, string>();
  const wallets = new Map<string, WalletReading>();
  let paused: boolean | null = null;
  for (const part of parts) {
    for (const [number, hash] of part.hashes) {
      if ((hashes.get(number) ?? hash) !== hash)
        throw new RpcError("unavailable", hostOf(client), `showed two blocks ${number} while balances were read`);
      hashes.set(number, hash);
    }
    for (const [wallet, reading] of part.wallets) wallets.set(wallet, reading);
    paused = part.paused ?? paused;
  }
  return { block, hashes, wallets, paused };
}
