/** USDC on a local chain: what tests and the demo do with it. */
import { chainById } from "@bursar/events/chains";
import {
  type Abi,
  type Account,
  type Address,
  encodeFunctionData,
  type Hex,
  type LocalAccount,
  parseAbi,
  type TransactionReceipt,
} from "viem";
import { readContract, sendTransaction } from "viem/actions";
import { type SignedAuthorization, signCancellation } from "./authorization.ts";
import { type DevClient, mined } from "./dev-client.ts";
import { MULTICALL3 } from "./multicall3.ts";

/** USDC's address on Arbitrum One, lower case. */
export const USDC = (chainById(42161) as { usdc: string }).usdc as Address;

/** What tests and the demo call of Circle's FiatTokenV2_2. */
export const USDC_ABI = parseAbi([
  "function balanceOf(address account) view returns (uint256)",
  "function authorizationState(address authorizer, bytes32 nonce) view returns (bool)",
  "function transfer(address to, uint256 value) returns (bool)",
  "function mint(address to, uint256 amount) returns (bool)",
  "function transferWithAuthorization(address from, address to, uint256 value, uint256 validAfter, uint256 validBefore, bytes32 nonce, bytes signature)",
  "function cancelAuthorization(address authorizer, bytes32 nonce, bytes signature)",
]);

/**
 * Settles authorizations in one transaction: one by a plain call, several by Multicall3, as facilitators that save gas
 * do. The receipt may say "reverted"; one that is refused reverts all of its transaction.
 */
export async function settle(
  client: DevClient,
  relayer: Account,
  signed: readonly SignedAuthorization[],
): Promise<TransactionReceipt> {
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
  return mined(client, await sendTransaction(client, { account: relayer, to, data, gas }));
}

/** Cancels an authorization before it is used; `relayer` submits what `account` signs. */
export async function cancel(
  client: DevClient,
  relayer: Account,
  account: LocalAccount,
  nonce: Hex,
): Promise<TransactionReceipt> {
  const signature = await signCancellation(account, nonce);
  return call(client, relayer, "cancelAuthorization", [account.address, nonce, signature]);
}

/** A plain transfer, without any authorization: `account` pays its own gas. */
export function transfer(client: DevClient, account: Account, to: Address, value: bigint): Promise<TransactionReceipt> {
  return call(client, account, "transfer", [to, value]);
}

/** Makes USDC out of nothing; `minter` is the account that `installUsdc` was given. */
export function mint(client: DevClient, minter: Account, to: Address, amount: bigint): Promise<TransactionReceipt> {
  return call(client, minter, "mint", [to, amount]);
}

/** Atomic units of USDC that `account` holds at the latest block. */
export function balanceOf(client: DevClient, account: Address): Promise<bigint> {
  return readContract(client, { address: USDC, abi: USDC_ABI, functionName: "balanceOf", args: [account] });
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

async function call(
  client: DevClient,
  account: Account,
  functionName: "transfer" | "mint" | "cancelAuthorization",
  args: readonly unknown[],
): Promise<TransactionReceipt> {
  const data = encodeFunctionData({ abi: USDC_ABI as Abi, functionName, args });
  return mined(client, await sendTransaction(client, { account, to: USDC, data, gas: 200_000n }));
}
