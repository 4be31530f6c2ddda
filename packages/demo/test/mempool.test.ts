/** What the troubles do with the mempool and the facilitator, on a chain of its own. */
import type { PaymentPayload, PaymentRequirements, SettleResponse } from "@x402/core/types";
import { type Address, type Hex, parseGwei } from "viem";
import { getTransaction, getTransactionReceipt } from "viem/actions";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { signAuthorization } from "../src/authorization.ts";
import { type Devnet, startDevnet } from "../src/devnet.ts";
import { mindful, type Serving } from "../src/facilitator.ts";
import { openStuckRelayer } from "../src/troubles/stuck-relayer.ts";
import { balanceOf } from "../src/usdc.ts";
import { fillWallets, keepWalletsFilled, POOR } from "../src/wallets.ts";

const SLOW = 120_000;
let devnet: Devnet;

beforeAll(async () => {
  devnet = await startDevnet();
  await devnet.fund(devnet.account(0).address, 1_000n);
}, SLOW);
afterAll(() => devnet?.stop());

const signed = () => signAuthorization(devnet.account(0), { to: devnet.account(1).address, value: 1n });
const isKnown = (hash: Hex) =>
  getTransaction(devnet.client, { hash }).then(
    () => true,
    () => false,
  );

test(
  "a settlement waits in the mempool behind a missing transaction, and is mined when that comes",
  async () => {
    const relayer = await openStuckRelayer(devnet, 50);
    const hash = await relayer.send(await signed());
    await devnet.mine(5);
    expect((await getTransaction(devnet.client, { hash })).blockNumber).toBeNull();
    await relayer.release();
    await vi.waitFor(
      async () => expect((await getTransactionReceipt(devnet.client, { hash })).status).toBe("success"),
      SLOW,
    );
  },
  SLOW,
);

test(
  "a dropped settlement is known to nobody, and the next one of the wallet waits as well",
  async () => {
    const first = await openStuckRelayer(devnet, 51);
    const hash = await first.send(await signed());
    await first.drop();
    expect(await isKnown(hash)).toBe(false);
    const second = await openStuckRelayer(devnet, 51);
    const next = await second.send(await signed());
    expect(await isKnown(next)).toBe(true);
    await second.drop();
  },
  SLOW,
);

test(
  "what is sent without a fee bids above every gas price, so that no rise prices it out",
  async () => {
    const { transactionHash } = await devnet.settle(await signed());
    const sent = await getTransaction(devnet.client, { hash: transactionHash });
    expect(sent.maxFeePerGas).toBe(parseGwei("1000"));
  },
  SLOW,
);

test(
  "a poor wallet is filled when it has been empty for a while, and by little",
  async () => {
    const wallet = devnet.account(2).address as Address;
    await fillWallets(devnet, [wallet], POOR);
    expect(await balanceOf(devnet.client, wallet)).toBe(POOR.full);
    const empty = devnet.account(3).address as Address;
    const end = keepWalletsFilled(devnet, [empty], () => {}, { ...POOR, afterMs: 1 });
    await vi.waitFor(async () => expect(await balanceOf(devnet.client, empty)).toBe(POOR.full), {
      timeout: SLOW,
      interval: 250,
    });
    await end();
  },
  SLOW,
);

test("a paused facilitator ends what is under way, begins nothing, and remembers what it settled", async () => {
  const authorization = { from: "0x1", to: "0x2", value: "5", validAfter: "0", validBefore: "9", nonce: "0x3" };
  const payload = { payload: { signature: "0x4", authorization } } as unknown as PaymentPayload;
  const requirements = {} as PaymentRequirements;
  const answers: ((answer: SettleResponse) => void)[] = [];
  const slow: Serving = {
    verify: async () => ({ isValid: true }),
    settle: () => new Promise((resolve) => answers.push(resolve)),
    getSupported: () => ({}),
  };
  const success = { success: true, transaction: "0x5", network: "eip155:42161" } as const;
  const facilitator = mindful(slow);
  const first = facilitator.settle(payload, requirements);
  await vi.waitFor(() => expect(answers).toHaveLength(1));
  let resume = () => {};
  const remembered: bigint[] = [];
  const pausing = facilitator.pause((settled) => {
    remembered.push(...settled.map((each) => each.authorization.value));
    return new Promise((resolve) => {
      resume = resolve;
    });
  });
  const second = facilitator.settle(payload, requirements);
  expect(remembered).toEqual([]);
  answers[0]?.(success);
  expect(await first).toEqual(success);
  await vi.waitFor(() => expect(remembered).toEqual([5n]));
  expect(answers).toHaveLength(1);
  resume();
  await pausing;
  await vi.waitFor(() => expect(answers).toHaveLength(2));
  answers[1]?.(success);
  expect(await second).toEqual(success);
});
