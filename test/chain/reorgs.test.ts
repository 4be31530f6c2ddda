/** Reorgs of every depth under load: after each, once it is read, the books are what the chain still holds. */
import { type SignedAuthorization, signAuthorization } from "@bursar/demo/authorization";
import { transfer } from "@bursar/demo/usdc";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  type Agent,
  agentSays,
  chainBooks,
  expectBooksOfChain,
  type GovernedChain,
  put,
  startGovernedChain,
} from "./governed-chain.ts";

let governed: GovernedChain;
beforeAll(async () => {
  governed = await startGovernedChain({ agents: 4, payees: 3 });
}, 120_000);
afterAll(() => governed?.stop());

/** The same in every run: which agent, whom, how much, which depth comes when. */
const DEPTHS = Array.from({ length: 20 }, (_, index) => 1 + ((index * 7 + 3) % 20));

test("of depth 1 to 20, amid batches, plain transfers and what agents say of them", async () => {
  expect([...DEPTHS].sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
  const { devnet, machine, agents, payees } = governed;
  let turn = 0;
  const saying: Promise<void>[] = [];
  let latest: SignedAuthorization[] = [];
  const sign = async () => {
    const agent = agents[turn % agents.length] as Agent;
    const to = (payees[turn % payees.length] as (typeof payees)[number]).address;
    return { agent, signed: await signAuthorization(agent.account, { to, value: 100n + BigInt(turn++) }) };
  };
  /** One to four authorizations in one transaction; its agents tell of it while it is mined, and after. */
  const pay = async () => {
    const batch = await Promise.all(Array.from({ length: 1 + (turn % 4) }, sign));
    latest = batch.map(({ signed }) => signed);
    for (const { agent, signed } of batch)
      saying.push(put(machine, `bursar.agent.${agent.id}`, agentSays(signed, devnet.usdc)));
    const { transactionHash } = await devnet.settle(...latest);
    for (const { agent, signed } of batch)
      saying.push(put(machine, `bursar.agent.${agent.id}`, agentSays(signed, devnet.usdc, transactionHash)));
  };
  const move = async () => {
    const { account } = agents[turn % agents.length] as Agent;
    const payee = (payees[turn % payees.length] as (typeof payees)[number]).address;
    await transfer(devnet.client, account, payee, 10_000n + BigInt(turn++));
  };
  let taken = 0;
  for (const depth of DEPTHS) {
    for (let left = 1 + (depth % 3); left > 0; left--) await pay();
    await move();
    await devnet.mine(depth % 5);
    const before = (await chainBooks(governed)).settled;
    await devnet.reorg(depth);
    const after = new Set((await chainBooks(governed)).settled);
    taken += before.filter((line) => !after.has(line)).length;
    if (depth % 2 === 0) await devnet.settle(...latest); // what went is settled again, or reverts where it did not go
    await pay();
    await Promise.all(saying.splice(0));
    await expectBooksOfChain(governed);
  }
  expect(taken).toBeGreaterThan(20);
  await devnet.mine(300); // everything becomes final, and is read once more
  await expectBooksOfChain(governed);
}, 300_000);
