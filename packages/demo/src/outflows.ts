/** What left wallets, as the chain's own node tells it: the truth that tests hold our books against. */
import { paymentId } from "@bursar/events/ids";
import { type Address, parseAbi } from "viem";
import { getLogs } from "viem/actions";
import type { DevClient } from "./dev-client.ts";
import { DEVNET_CHAIN_ID } from "./devnet.ts";
import { USDC } from "./usdc.ts";

/** USDC that left a wallet, in a block that is on the chain. Addresses and hashes are lower case. */
export interface Outflow {
  /** The payment's id: of the authorization, or of the plain transfer. */
  readonly id: string;
  readonly txHash: string;
  readonly logIndex: number;
  readonly blockHash: string;
  readonly payer: string;
  readonly payee: string;
  /** Atomic units. */
  readonly amount: bigint;
}

const EVENTS = parseAbi([
  "event Transfer(address indexed from, address indexed to, uint256 value)",
  "event AuthorizationUsed(address indexed authorizer, bytes32 indexed nonce)",
]);

/**
 * Everything that left `wallets` (lower case) since `fromBlock`, by id. USDC logs an authorization right before its
 * transfer, so a transfer is an authorization's where the log before it says so. A transfer without one that moves
 * nothing, or goes back to its own wallet, is none.
 */
export async function outflows(
  client: DevClient,
  wallets: readonly string[],
  fromBlock: number,
): Promise<readonly Outflow[]> {
  const logs = await getLogs(client, { address: USDC, events: EVENTS, fromBlock: BigInt(fromBlock), strict: true });
  const used = new Map<string, string>();
  for (const { eventName, args, blockHash, logIndex } of logs)
    if (eventName === "AuthorizationUsed")
      used.set(`${blockHash} ${logIndex} ${lower(args.authorizer)}`, args.nonce.toLowerCase());
  const watched = new Set(wallets);
  const found: Outflow[] = [];
  for (const log of logs) {
    if (log.eventName !== "Transfer") continue;
    const [payer, payee] = [lower(log.args.from), lower(log.args.to)];
    if (!watched.has(payer)) continue;
    const nonce = used.get(`${log.blockHash} ${log.logIndex - 1} ${payer}`);
    const amount = log.args.value;
    if (nonce === undefined && (amount === 0n || payee === payer)) continue;
    const [txHash, blockHash] = [log.transactionHash.toLowerCase(), log.blockHash.toLowerCase()];
    const chainId = DEVNET_CHAIN_ID;
    const id = paymentId(
      nonce === undefined
        ? { method: "transfer", chainId, txHash, logIndex: log.logIndex }
        : { method: "eip3009", chainId, asset: USDC, payer, nonce },
    );
    found.push({ id, txHash, logIndex: log.logIndex, blockHash, payer, payee, amount });
  }
  return found.sort((a, b) => (a.id < b.id ? -1 : 1));
}

const lower = (address: Address): string => address.toLowerCase();
