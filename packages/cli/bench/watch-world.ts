/** The world of the watch bench: wallets that pay one API, what is signed for it beforehand, and what both say of it. */
import { type SignedAuthorization, signAuthorization } from "@bursar/demo/authorization";
import type { Devnet } from "@bursar/demo/devnet";
import { USDC, USDC_ABI } from "@bursar/demo/usdc";
import type { ConfigInput } from "@bursar/events/config";
import { type Eip3009Key, paymentId } from "@bursar/events/ids";
import { encodeFunctionData, type Hex, keccak256, type LocalAccount } from "viem";
import { getTransactionCount } from "viem/actions";

/** Agents, each with a wallet of its own. */
const AGENTS = 20;
/** Of every payment, atomic units. */
export const AMOUNT = 1_000n;
/** Of every wallet at the start: more than any run spends. */
const FUNDS = 1_000_000_000n;
const GAS = { gas: 200_000n, maxFeePerGas: 10n ** 10n, maxPriorityFeePerGas: 0n };

export interface WatchWorld {
  readonly wallets: readonly LocalAccount[];
  /** The API's, which holds nothing at the start. */
  readonly payTo: LocalAccount;
  readonly config: ConfigInput;
}

/** One payment, signed by its wallet, in a transaction of its own that the relayer has signed. */
export interface Signed {
  readonly id: string;
  readonly txHash: string;
  readonly transaction: Hex;
  readonly agentId: string;
  readonly key: Eip3009Key;
  readonly claim: { readonly amount: string; readonly payTo: string; readonly validBefore: string };
}

const agentOf = (n: number): string => `agent-${n}`;

/** Wallets with funds, and the config that governs them. */
export async function createWorld(devnet: Devnet): Promise<WatchWorld> {
  const wallets = Array.from({ length: AGENTS }, (_, n) => devnet.account(n));
  const payTo = devnet.account(AGENTS);
  for (const { address } of wallets) await devnet.fund(address, FUNDS);
  const agents = Object.fromEntries(wallets.map(({ address }, n) => [agentOf(n), { wallets: [address] }]));
  const budgets = [{ id: "day", scope: { agent: "*" }, window: "day" as const, limitUsd: "50.00" }];
  return { wallets, payTo, config: { org: "acme", agents, apis: { reports: { payTo: [payTo.address] } }, budgets } };
}

/** Signs `count` payments in turn by all wallets: they are to be sent in this order, and nothing else by the relayer. */
export async function signPayments(devnet: Devnet, world: WatchWorld, count: number): Promise<Signed[]> {
  const { relayer } = devnet.accounts;
  const first = await getTransactionCount(devnet.client, { address: relayer.address });
  const signed: Signed[] = [];
  for (let n = 0; n < count; n++) {
    const wallet = world.wallets[n % AGENTS] as LocalAccount;
    const authorization = await signAuthorization(wallet, { to: world.payTo.address, value: AMOUNT });
    const call = { type: "eip1559" as const, chainId: 42161, nonce: first + n, to: USDC, data: callOf(authorization) };
    const transaction = await relayer.signTransaction({ ...call, ...GAS });
    const { from, nonce, validBefore } = authorization.authorization;
    const payer = from.toLowerCase();
    const key = { method: "eip3009" as const, chainId: 42161, asset: USDC, payer, nonce: nonce.toLowerCase() };
    signed.push({
      id: paymentId(key),
      txHash: keccak256(transaction),
      transaction,
      agentId: agentOf(n % AGENTS),
      key,
      claim: {
        amount: AMOUNT.toString(),
        payTo: world.payTo.address.toLowerCase(),
        validBefore: validBefore.toString(),
      },
    });
  }
  return signed;
}

function callOf({ authorization: a, signature }: SignedAuthorization): Hex {
  return encodeFunctionData({
    abi: USDC_ABI,
    functionName: "transferWithAuthorization",
    args: [a.from, a.to, a.value, a.validAfter, a.validBefore, a.nonce, signature],
  });
}

/** What agent and API say when the transaction is sent: entries of PutEvents, one for each producer. */
export function sentEntries({ key: payment, claim, txHash, agentId }: Signed): readonly object[] {
  const at = new Date().toISOString();
  const id = (step: number) => `${payment.nonce}-${step}`;
  return [
    entryOf(`bursar.agent.${agentId}`, [
      { type: "agent.authorization_signed", id: id(1), at, payment, ...claim },
      { type: "agent.payment_sent", id: id(2), at, payment },
    ]),
    entryOf("bursar.api.reports", [
      { type: "api.verification_started", id: id(3), at, payment, ...claim },
      { type: "api.transaction_submitted", id: id(4), at, payment, txHash },
    ]),
  ];
}

/** What they say when the content was returned. */
export function doneEntries({ key: payment, txHash, agentId }: Signed): readonly object[] {
  const at = new Date().toISOString();
  const id = (step: number) => `${payment.nonce}-${step}`;
  const answer = { status: 200, settled: true, txHash, durationMs: 1_000 };
  return [
    entryOf("bursar.api.reports", [
      { type: "api.transaction_confirmed", id: id(5), at, payment, txHash },
      { type: "api.content_returned", id: id(6), at, payment, txHash, status: 200 },
    ]),
    entryOf(`bursar.agent.${agentId}`, [{ type: "agent.response_received", id: id(7), at, payment, ...answer }]),
  ];
}

function entryOf(Source: string, events: readonly object[]) {
  return { Source, DetailType: "payment.events.v1", Detail: JSON.stringify({ version: 1, events }) };
}
