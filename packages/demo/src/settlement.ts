/** What a facilitator does with authorizations on the local chain: settle them, alone or together, or cancel one. */
import {
  type Account,
  encodeFunctionData,
  type Hash,
  type Hex,
  type LocalAccount,
  parseAbi,
  type TransactionReceipt,
} from "viem";
import { sendTransaction } from "viem/actions";
import { type SignedAuthorization, signCancellation } from "./authorization.ts";
import { type DevClient, mined } from "./dev-client.ts";
import { MULTICALL3 } from "./multicall3.ts";
import { callUsdc, USDC, USDC_ABI } from "./usdc.ts";

/**
 * Settles authorizations in one transaction: one by a plain call, several by Multicall3, as facilitators that save gas
 * do. The receipt may say "reverted"; one that is refused reverts all of its transaction.
 */
export async function settle(
  client: DevClient,
  relayer: Account,
  signed: readonly SignedAuthorization[],
): Promise<TransactionReceipt> {
  return mined(client, await submit(client, relayer, signed));
}

/** What a relayer may ask for a transaction; the same nonce with a higher fee replaces one that waits. */
export interface Bid {
  readonly nonce?: number;
  /** Wei for a unit of gas, at most and as a tip. */
  readonly maxFeePerGas?: bigint;
  readonly maxPriorityFeePerGas?: bigint;
}

/** As `settle`, without a block: the transaction waits at the node until the next one. */
export function submit(
  client: DevClient,
  relayer: Account,
  signed: readonly SignedAuthorization[],
  bid: Bid = {},
): Promise<Hash> {
  const calls = signed.map(({ authorization: a, signature }) =>
    encodeFunctionData({
      abi: USDC_ABI,
      functionName: "transferWithAuthorization",
      args: [a.from, a.to, a.value, a.validAfter, a.validBefore, a.nonce, signature],
    }),
  );
  const [only] = calls;
  const to = calls.length === 1 ? USDC : MULTICALL3;
  const data = calls.length === 1 && only !== undefined ? only : together(calls);
  // The gas is given, so that a transaction which must revert is sent all the same.
  const gas = 120_000n * BigInt(calls.length) + 80_000n;
  return sendTransaction(client, { account: relayer, to, data, gas, ...bid });
}

/** Cancels an authorization before it is used; `relayer` submits what `account` signs. */
export async function cancel(
  client: DevClient,
  relayer: Account,
  account: LocalAccount,
  nonce: Hex,
): Promise<TransactionReceipt> {
  const signature = await signCancellation(account, nonce);
  return callUsdc(client, relayer, "cancelAuthorization", [account.address, nonce, signature]);
}

const AGGREGATE3 = parseAbi([
  "function aggregate3((address target, bool allowFailure, bytes callData)[] calls) payable returns ((bool success, bytes returnData)[])",
]);

function together(calls: readonly Hex[]): Hex {
  return encodeFunctionData({
    abi: AGGREGATE3,
    functionName: "aggregate3",
    args: [calls.map((callData) => ({ target: USDC, allowFailure: false, callData }))],
  });
}
