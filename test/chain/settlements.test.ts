/** What becomes of one payment on a real chain, in every way that it can go, and that the books follow each. */
import { signAuthorization } from "@bursar/demo/authorization";
import { cancel, submit } from "@bursar/demo/settlement";
import { transfer } from "@bursar/demo/usdc";
import type { Payment } from "@bursar/events/shapes";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  type Agent,
  agentSays,
  chainBooks,
  expectBooksOfChain,
  type GovernedChain,
  get,
  keyOf,
  payment,
  put,
  startGovernedChain,
} from "./governed-chain.ts";

const SLOW = 120_000;
const POLL = { timeout: 30_000, interval: 100 };
let governed: GovernedChain;

beforeAll(async () => {
  // Blocks come when a test says so: a transaction can wait, be dropped and be replaced before it is mined.
  governed = await startGovernedChain({ agents: 6, blockTimeSeconds: 3600, deadlineSeconds: 2 });
}, SLOW);
afterAll(() => governed?.stop());

const agent = (index: number) => governed.agents[index] as Agent;
const sign = (of: Agent, value: bigint, terms: { validBefore?: bigint } = {}) => {
  const to = (governed.payees[0] as (typeof governed.payees)[number]).address;
  return signAuthorization(of.account, { to, value, ...terms });
};
const say = (of: Agent, events: readonly object[]) => put(governed.machine, `bursar.agent.${of.id}`, events);
const idOf = (signed: Awaited<ReturnType<typeof sign>>) => keyOf(signed, governed.devnet.usdc).id;
const delivered = (signed: Awaited<ReturnType<typeof sign>>) => {
  const { key } = keyOf(signed, governed.devnet.usdc);
  return put(governed.machine, "bursar.api.reports", [{ type: "api.content_returned", payment: key, status: 200 }]);
};

/** Mines a block with each look, as time does, until the payment is like this. */
async function becomes(id: string, like: Partial<Payment>): Promise<void> {
  const look = async () => {
    await governed.devnet.mine(1);
    return payment(governed.machine, id);
  };
  await expect.poll(look, POLL).toMatchObject(like);
}

test(
  "50 authorizations that settle in one transaction are 50 payments, each with its own amount",
  async () => {
    const all = await Promise.all(
      Array.from({ length: 50 }, (_, index) => sign(agent(index % 5), 1000n + BigInt(index))),
    );
    const receipt = await governed.devnet.settle(...all);
    expect(receipt.status).toBe("success");
    for (const of of governed.agents) {
      const own = all.filter(({ authorization }) => authorization.from === of.account.address);
      if (own.length > 0)
        await say(
          of,
          own.flatMap((signed) => agentSays(signed, governed.devnet.usdc, receipt.transactionHash)),
        );
    }
    for (const signed of all) await delivered(signed);
    for (const signed of all) {
      const { value, from } = signed.authorization;
      await becomes(idOf(signed), {
        ...{ state: "final", verdict: "matched", breaks: [], txHashes: [receipt.transactionHash] },
        ...{ amount: value.toString(), payer: from.toLowerCase() },
      });
    }
    const { payments } = await get<{ payments: Payment[] }>(
      governed.machine,
      `/api/payments?tx=${receipt.transactionHash}&limit=1000`,
    );
    expect(payments.map(({ id }) => id)).toEqual(all.map(idOf).sort());
    await expectBooksOfChain(governed);
  },
  SLOW,
);

test(
  "a transaction that was dropped is on no chain, until the payment settles under another hash",
  async () => {
    const { devnet } = governed;
    const signed = await sign(agent(0), 7n);
    const relayer = devnet.account(51); // no other test's: the nonce stays open
    await devnet.fund(relayer.address, 1n);
    const dropped = await submit(devnet.client, relayer, [signed]);
    await say(agent(0), agentSays(signed, devnet.usdc, dropped));
    await devnet.client.request({ method: "anvil_dropTransaction", params: [dropped] });
    await becomes(idOf(signed), { state: "submitted", breaks: ["not_on_chain"], verdict: "break" });
    const { transactionHash: other } = await devnet.settle(signed);
    expect(other).not.toBe(dropped);
    await delivered(signed);
    await becomes(idOf(signed), {
      ...{ state: "final", verdict: "matched", breaks: [], amount: "7" },
      txHashes: [dropped, other].sort(),
    });
    await expectBooksOfChain(governed);
  },
  SLOW,
);

test(
  "a transaction that was replaced by one with a higher fee settles under the other hash",
  async () => {
    const { devnet } = governed;
    const signed = await sign(agent(1), 8n);
    const relayer = devnet.account(50);
    await devnet.fund(relayer.address, 1n);
    const bid = (gwei: bigint) => ({
      nonce: 0,
      maxFeePerGas: gwei * 10n ** 9n,
      maxPriorityFeePerGas: gwei * 10n ** 9n,
    });
    const slow = await submit(devnet.client, relayer, [signed], bid(3n));
    await say(agent(1), agentSays(signed, devnet.usdc, slow));
    await expect.poll(() => payment(governed.machine, idOf(signed)), POLL).toMatchObject({ state: "submitted" });
    const fast = await submit(devnet.client, relayer, [signed], bid(9n));
    await delivered(signed);
    await becomes(idOf(signed), {
      ...{ state: "final", verdict: "matched", breaks: [], amount: "8" },
      txHashes: [slow, fast].sort(),
    });
    await expectBooksOfChain(governed);
  },
  SLOW,
);

test(
  "a transaction that reverted gives the payment back, and its retry settles it once",
  async () => {
    const { devnet } = governed;
    const signed = await sign(agent(2), 500_000_000n); // more than the wallet holds
    const refused = await devnet.settle(signed);
    expect(refused.status).toBe("reverted");
    await say(agent(2), agentSays(signed, devnet.usdc, refused.transactionHash));
    await becomes(idOf(signed), { state: "signed", breaks: ["reverted"], verdict: "break" });
    await devnet.fund(agent(2).account.address, 500_000_000n);
    const retried = await devnet.settle(signed);
    await delivered(signed);
    await becomes(idOf(signed), {
      ...{ state: "final", verdict: "matched", breaks: [], amount: "500000000" },
      txHashes: [refused.transactionHash, retried.transactionHash].sort(),
    });
    await expectBooksOfChain(governed);
  },
  SLOW,
);

test(
  "an authorization that was cancelled is told apart from one that expired, and neither is held any longer",
  async () => {
    const { devnet, machine } = governed;
    const soon = BigInt(Math.floor(Date.now() / 1000) + 3);
    const [cancelled, unused] = [
      await sign(agent(3), 11n, { validBefore: soon }),
      await sign(agent(3), 12n, { validBefore: soon }),
    ];
    await say(
      agent(3),
      [cancelled, unused].flatMap((signed) => agentSays(signed, devnet.usdc)),
    );
    await expect.poll(() => heldBy(agent(3)), POLL).toBe("23");
    await cancel(devnet.client, devnet.accounts.relayer, agent(3).account, cancelled.authorization.nonce);
    await becomes(idOf(cancelled), { state: "cancelled", verdict: "matched" });
    await becomes(idOf(unused), { state: "expired", verdict: "matched" });
    expect(await payment(machine, idOf(cancelled))).toMatchObject({ state: "cancelled" }); // its validBefore is over too
    await expect.poll(() => heldBy(agent(3)), POLL).toBe("0");
    await expectBooksOfChain(governed);
  },
  SLOW,
);

async function heldBy({ id }: Agent): Promise<string> {
  const { budgets } = await get<{ budgets: { scope: string; held: string }[] }>(governed.machine, "/api/budgets");
  return budgets.find(({ scope }) => scope === `agent:${id}`)?.held ?? "0";
}

test(
  "a payment by another scheme that settles by a plain transfer is in the books once, and matched by its hash",
  async () => {
    const { devnet, payees } = governed;
    const before = (await chainBooks(governed)).spent[`agent:${agent(4).id}`] ?? "0";
    const payee = (payees[0] as (typeof payees)[number]).address;
    const { transactionHash, logs } = await transfer(devnet.client, agent(4).account, payee, 123_456n);
    const requestId = "permit2-1";
    const resource = { url: "https://reports.example/daily", method: "GET" };
    const answer = { status: 200, settled: true, txHash: transactionHash };
    await say(agent(4), [
      { type: "agent.request_sent", requestId, resource },
      { type: "agent.response_received", requestId, ...answer },
    ]);
    const says = { type: "api.content_returned", txHash: transactionHash, status: 200 };
    await put(governed.machine, "bursar.api.reports", [says]);
    const id = `transfer:42161:${transactionHash}:${logs[0]?.logIndex}`;
    await becomes(id, { state: "final", verdict: "matched", breaks: [], amount: "123456", agentId: agent(4).id });
    await expectBooksOfChain(governed);
    const { spent } = await chainBooks(governed);
    expect(BigInt(spent[`agent:${agent(4).id}`] ?? 0) - BigInt(before)).toBe(123_456n);
  },
  SLOW,
);

test(
  "a hash of another chain settles nothing: the payment stays held, and is said to be on no chain",
  async () => {
    const signed = await sign(agent(5), 13n);
    await say(agent(5), agentSays(signed, governed.devnet.usdc, `0x${"c0de".repeat(16)}`));
    await becomes(idOf(signed), { state: "submitted", breaks: ["not_on_chain"], verdict: "break" });
    for (let blocks = 10; blocks > 0; blocks--) await governed.devnet.mine(1);
    expect(await payment(governed.machine, idOf(signed))).toMatchObject({ state: "submitted" });
    expect(await heldBy(agent(5))).toBe("13");
    await expectBooksOfChain(governed);
  },
  SLOW,
);
