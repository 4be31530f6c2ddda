/** Money and signatures that nobody should have to find: plain transfers, strangers, other wallets, other chains. */
import { randomBytes } from "node:crypto";
import { paymentId } from "@bursar/events/ids";
import type { Address, Hex } from "viem";
import { signAuthorization, TRANSFER_TYPES } from "../authorization.ts";
import { settle } from "../settlement.ts";
import { transfer, USDC_DOMAIN } from "../usdc.ts";
import { fillWallets } from "../wallets.ts";
import { idOf, transferIn } from "./payment-ids.ts";
import type { TroubleKind } from "./trouble.ts";

/** Accounts of the devnet that are nobody's in the config. */
const STRANGER = 30;
const TEMP = 31;

const SHADOW = 250_000n;
const STOLEN = 120_000n;

export const plainTransfer: TroubleKind = {
  name: "plain_transfer",
  words: "somebody moves $0.25 out of the writer's wallet by a plain transfer",
  leads: { breaks: ["shadow_spend"], heals: false },
  async produce({ devnet, account }) {
    const receipt = await transfer(devnet.client, account("writer"), devnet.account(STRANGER).address, SHADOW);
    return [transferIn(receipt)];
  },
};

export const strangersSettlement: TroubleKind = {
  name: "strangers_settlement",
  words: "a stranger settles a signature of the trader's wallet that nobody reported",
  leads: { breaks: ["shadow_spend"], heals: false },
  async produce({ devnet, account }) {
    const to = devnet.account(STRANGER).address;
    const signed = await signAuthorization(account("trader"), { to, value: STOLEN });
    await settle(devnet.client, devnet.accounts.relayer2, [signed]);
    return [idOf(signed)];
  },
};

export const unregisteredWallet: TroubleKind = {
  name: "unregistered_wallet",
  words: "temp, an agent that the config does not know, buys with a wallet of its own",
  leads: { breaks: [], heals: false, alert: "unregistered_wallet" },
  async produce({ devnet, buyWithKey, urls }) {
    const wallet = devnet.account(TEMP);
    await fillWallets(devnet, [wallet.address]);
    const url = `${urls.reports}/reports/brief?quarter=2026-q2`;
    return (await buyWithKey(wallet, { agent: "temp" }, url)).payments;
  },
};

/** USDC on Base, and its domain there. */
const BASE = { chainId: 8453, verifyingContract: "0x833589fcd6edb6e08f4c7c32d4f71b54bda02913" as Address } as const;
const TERM_SECONDS = 300;

export const signedOnBase: TroubleKind = {
  name: "signed_on_base",
  words: "the trader signs a payment on Base, a chain that nobody watches",
  leads: { breaks: ["unwatched_chain"], heals: false, state: "signed" },
  async produce({ account, devnet, emitter }) {
    const signer = account("trader");
    const message = {
      from: signer.address,
      to: devnet.account(STRANGER).address,
      value: 10_000n,
      validAfter: 0n,
      validBefore: BigInt(Math.floor(Date.now() / 1000) + TERM_SECONDS),
      nonce: `0x${randomBytes(32).toString("hex")}` as Hex,
    };
    const domain = { ...USDC_DOMAIN, ...BASE };
    await signer.signTypedData({ domain, types: TRANSFER_TYPES, primaryType: "TransferWithAuthorization", message });
    const payer = signer.address.toLowerCase();
    const [payTo, amount] = [message.to.toLowerCase(), String(message.value)];
    const asset = BASE.verifyingContract;
    const payment = { method: "eip3009", chainId: BASE.chainId, asset, payer, nonce: message.nonce } as const;
    const network = `eip155:${BASE.chainId}`;
    const accepted = { scheme: "exact", network, asset, amount, payTo, maxTimeoutSeconds: TERM_SECONDS };
    const validBefore = String(message.validBefore);
    emitter({ agent: "trader" }).emit({
      type: "agent.authorization_signed",
      payment,
      amount,
      payTo,
      validBefore,
      accepted,
    });
    return [paymentId(payment)];
  },
};
