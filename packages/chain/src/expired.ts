/** Closes authorizations that can never be used any more: only the chain may say so, never the clock alone. */
import type { EventOf } from "@bursar/events/contract";
import type { Eip3009Key } from "@bursar/events/ids";
import { type Address, type Hex, parseAbi } from "viem";
import { multicall } from "viem/actions";
import type { Block } from "./block.ts";
import { type ChainClient, hostOf } from "./client.ts";
import { MULTICALL3 } from "./multicall3.ts";
import { rpcErrorOf } from "./rpc-error.ts";

const ABI = parseAbi(["function authorizationState(address authorizer, bytes32 nonce) view returns (bool)"]);
/** Candidates judged in one call of `findExpired`; the rest waits for the next. */
export const EXPIRED_MAX = 500;

/** A payment that has not settled, and the greatest validBefore (unix seconds, decimal) that anyone entitled claimed. */
export interface ExpiryCandidate {
  readonly payment: Eip3009Key;
  readonly validBefore: string;
}

export interface Expiries {
  readonly expired: readonly EventOf<"chain.expired">[];
  /** Used or cancelled: the logs tell what became of them. */
  readonly used: readonly ExpiryCandidate[];
}

/**
 * Those of the candidates whose authorization is unused at the safe block though that block's time has reached their
 * validBefore: an authorization is valid while now < validBefore, and no later block has an earlier time.
 * @throws {RpcError}
 */
export async function findExpired(
  client: ChainClient,
  candidates: readonly ExpiryCandidate[],
  safe: Block,
): Promise<Expiries> {
  const due = candidates
    .filter(({ payment, validBefore }) => payment.chainId === client.chainId && BigInt(validBefore) <= safe.timestamp)
    .slice(0, EXPIRED_MAX);
  if (due.length === 0) return { expired: [], used: [] };
  const states = await multicall(client.viem, {
    multicallAddress: MULTICALL3,
    batchSize: 0, // all in one eth_call
    blockNumber: BigInt(safe.number), // a node without that block answers with an error
    contracts: due.map(({ payment }) => ({
      address: payment.asset as Address,
      abi: ABI,
      functionName: "authorizationState" as const,
      args: [payment.payer as Address, payment.nonce as Hex] as const,
    })),
  }).catch((error) => {
    throw rpcErrorOf(hostOf(client), error);
  });
  const inState = (wanted: boolean) =>
    due.filter((_, index) => states[index]?.status === "success" && states[index].result === wanted);
  return {
    expired: inState(false).map(({ payment, validBefore }) => ({
      type: "chain.expired" as const,
      id: `expired:${payment.chainId}:${payment.nonce}:${validBefore}`,
      at: safe.at,
      payment,
      blockNumber: safe.number,
      validBefore,
    })),
    used: inState(true),
  };
}
