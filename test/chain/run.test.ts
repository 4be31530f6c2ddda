/** A run of 2,000 payments: what we say was spent is what USDC says has moved, to the unit. */
import { type SignedAuthorization, signAuthorization } from "@bursar/demo/authorization";
import { balanceOf, transfer } from "@bursar/demo/usdc";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  type Agent,
  agentSays,
  expectBooksOfChain,
  type GovernedChain,
  ourBooks,
  put,
  startGovernedChain,
} from "./governed-chain.ts";

const PAYMENTS = 2000;
const PER_BATCH = 40;
/** Of every batch so many leave without an authorization. */
const PLAIN = 4;

let governed: GovernedChain;
beforeAll(async () => {
  governed = await startGovernedChain({ agents: 10, payees: 5, funds: 1_000_000_000n });
}, 120_000);
afterAll(() => governed?.stop());

test("2,000 payments of 10 agents to 5 payees: spent equals the change of USDC's balances, for each and in all", async () => {
  const { devnet, machine, agents, payees } = governed;
  const balances = async (accounts: readonly { address: `0x${string}` }[]) =>
    Promise.all(accounts.map(({ address }) => balanceOf(devnet.client, address)));
  const payers = agents.map(({ account }) => account);
  const [had, got] = [await balances(payers), await balances(payees)];

  let count = 0;
  /** Amounts that no two payments share by accident, up to half a dollar. */
  const next = () => {
    const n = count++;
    const agent = agents[n % agents.length] as Agent;
    const to = (payees[(n * 3) % payees.length] as (typeof payees)[number]).address;
    return { agent, to, value: 1n + ((BigInt(n) * 7919n) % 500_000n) };
  };
  const saying: Promise<void>[] = [];
  while (count < PAYMENTS) {
    const batch: { agent: Agent; signed: SignedAuthorization }[] = [];
    while (batch.length < PER_BATCH - PLAIN) {
      const { agent, to, value } = next();
      batch.push({ agent, signed: await signAuthorization(agent.account, { to, value }) });
    }
    const { status, transactionHash } = await devnet.settle(...batch.map(({ signed }) => signed));
    expect(status).toBe("success");
    for (let left = PLAIN; left > 0; left--) {
      const { agent, to, value } = next();
      expect((await transfer(devnet.client, agent.account, to, value)).status).toBe("success");
    }
    // Two of three agents tell of their payments; what the others spend is known by the chain alone.
    for (const [index, agent] of agents.entries()) {
      const own = batch.filter((each) => each.agent === agent);
      const events = own.flatMap(({ signed }) => agentSays(signed, devnet.usdc, transactionHash));
      if (index % 3 !== 0 && events.length > 0) saying.push(put(machine, `bursar.agent.${agent.id}`, events));
    }
  }
  expect(count).toBe(PAYMENTS);
  await Promise.all(saying);
  await expectBooksOfChain(governed, 60_000);

  const { spent, settled } = await ourBooks(machine);
  const [have, gotten] = [await balances(payers), await balances(payees)];
  const spentOf = agents.map(({ id }) => BigInt(spent[`agent:${id}`] ?? 0));
  expect(settled).toHaveLength(PAYMENTS);
  expect(spentOf).toEqual(had.map((before, index) => before - (have[index] as bigint)));
  expect(payees.map(({ address }) => BigInt(spent[`payee:${address.toLowerCase()}`] ?? 0))).toEqual(
    gotten.map((after, index) => after - (got[index] as bigint)),
  );
  expect(BigInt(spent["org:acme"] ?? 0)).toBe(spentOf.reduce((sum, each) => sum + each, 0n));
}, 300_000);
