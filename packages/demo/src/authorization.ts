/** EIP-3009 authorizations of the local chain's USDC, signed as a wallet signs them. */
import { randomBytes } from "node:crypto";
import type { Address, Hex, LocalAccount } from "viem";
import { USDC_DOMAIN } from "./usdc.ts";

/** An EIP-3009 authorization; times are unix seconds, the value atomic units. Valid while validAfter < now < validBefore. */
export interface Authorization {
  readonly from: Address;
  readonly to: Address;
  readonly value: bigint;
  readonly validAfter: bigint;
  readonly validBefore: bigint;
  readonly nonce: Hex;
}

export interface SignedAuthorization {
  readonly authorization: Authorization;
  readonly signature: Hex;
}

const NEVER = 2n ** 40n;

/** Signs an authorization of `account`; without times it is valid always, without a nonce it gets a fresh one. */
export async function signAuthorization(
  account: LocalAccount,
  terms: Pick<Authorization, "to" | "value"> & Partial<Authorization>,
): Promise<SignedAuthorization> {
  const nonce: Hex = `0x${randomBytes(32).toString("hex")}`;
  const authorization = { from: account.address, validAfter: 0n, validBefore: NEVER, nonce, ...terms };
  const signature = await account.signTypedData({
    domain: USDC_DOMAIN,
    types: TRANSFER_TYPES,
    primaryType: "TransferWithAuthorization",
    message: authorization,
  });
  return { authorization, signature };
}

/** Signs the cancellation of `account`'s authorization. */
export function signCancellation(account: LocalAccount, nonce: Hex): Promise<Hex> {
  return account.signTypedData({
    domain: USDC_DOMAIN,
    types: CANCEL_TYPES,
    primaryType: "CancelAuthorization",
    message: { authorizer: account.address, nonce },
  });
}

/** EIP-3009 as EIP-712 types. */
export const TRANSFER_TYPES = {
  TransferWithAuthorization: [
    { name: "from", type: "address" },
    { name: "to", type: "address" },
    { name: "value", type: "uint256" },
    { name: "validAfter", type: "uint256" },
    { name: "validBefore", type: "uint256" },
    { name: "nonce", type: "bytes32" },
  ],
} as const;

const CANCEL_TYPES = {
  CancelAuthorization: [
    { name: "authorizer", type: "address" },
    { name: "nonce", type: "bytes32" },
  ],
} as const;
