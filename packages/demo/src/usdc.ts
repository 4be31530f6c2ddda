/** USDC on a local chain: what tests and the demo do with it. */
import { chainById } from "@bursar/events/chains";
import {
  type Abi,
  type Account,
  type Address,
  encodeFunctionData,
  type Hex,
  parseAbi,
  type TransactionReceipt,
} from "viem";
import { readContract, sendTransaction } from "viem/actions";
import { type DevClient, mined } from "./dev-client.ts";

/** USDC's address on Arbitrum One, lower case. */
export const USDC = (chainById(42161) as { usdc: string }).usdc as Address;

/** EIP-712 domain of USDC on the local chain. */
export const USDC_DOMAIN = { name: "USD Coin", version: "2", chainId: 42161, verifyingContract: USDC } as const;

/** What tests and the demo call of Circle's FiatTokenV2_2. */
export const USDC_ABI = parseAbi([
  "function balanceOf(address account) view returns (uint256)",
  "function authorizationState(address authorizer, bytes32 nonce) view returns (bool)",
  "function transfer(address to, uint256 value) returns (bool)",
  "function mint(address to, uint256 amount) returns (bool)",
  "function transferWithAuthorization(address from, address to, uint256 value, uint256 validAfter, uint256 validBefore, bytes32 nonce, bytes signature)",
  "function cancelAuthorization(address authorizer, bytes32 nonce, bytes signature)",
]);

/** A plain transfer, without any authorization: `account` pays its own gas. */
export function transfer(client: DevClient, account: Account, to: Address, value: bigint): Promise<TransactionReceipt> {
  return callUsdc(client, account, "transfer", [to, value]);
}

/** Makes USDC out of nothing; `minter` is the account that `installUsdc` was given. */
export function mint(client: DevClient, minter: Account, to: Address, amount: bigint): Promise<TransactionReceipt> {
  return callUsdc(client, minter, "mint", [to, amount]);
}

/** Atomic units of USDC that `account` holds at the latest block. */
export function balanceOf(client: DevClient, account: Address): Promise<bigint> {
  return readContract(client, { address: USDC, abi: USDC_ABI, functionName: "balanceOf", args: [account] });
}

/** True when an authorization was used or cancelled. */
export function isUsed(client: DevClient, authorizer: Address, nonce: Hex): Promise<boolean> {
  return readContract(client, {
    address: USDC,
    abi: USDC_ABI,
    functionName: "authorizationState",
    args: [authorizer, nonce],
  });
}

/** Calls USDC as `account` and gives the receipt, whatever its status: the gas is given, so nothing is refused before. */
export async function callUsdc(
  client: DevClient,
  account: Account,
  functionName: "transfer" | "mint" | "cancelAuthorization",
  args: readonly unknown[],
): Promise<TransactionReceipt> {
  const data = encodeFunctionData({ abi: USDC_ABI as Abi, functionName, args });
  return mined(client, await sendTransaction(client, { account, to: USDC, data, gas: 200_000n }));
}
