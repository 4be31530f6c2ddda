/** A whole machine whose node goes away, lies, or is another chain's: it says so, and its books stay right. */
import { signAuthorization } from "@bursar/demo/authorization";
import { startDevnet } from "@bursar/demo/devnet";
import { type Misbehaviour, startRpcProxy } from "@bursar/demo/rpc-proxy";
import type { Health } from "@bursar/events/shapes";
import { afterEach, beforeEach, expect, test } from "vitest";
import {
  type Agent,
  expectBooksOfChain,
  type GovernedChain,
  get,
  ourBooks,
  startGovernedChain,
} from "./governed-chain.ts";

const SLOW = 180_000;
const POLL = { timeout: 60_000, interval: 100 };
let governed: GovernedChain;

beforeEach(async () => {
  governed = await startGovernedChain({ agents: 2 });
}, SLOW);
afterEach(() => governed?.stop(), SLOW);

async function pay(index: number, value: bigint): Promise<void> {
  const { agents, payees, devnet } = governed;
  const to = (payees[1] as (typeof payees)[number]).address;
  const receipt = await devnet.settle(await signAuthorization((agents[index] as Agent).account, { to, value }));
  expect(receipt.status).toBe("success");
}

/** All that a failure should show. */
async function standingOfAll() {
  const [cursor] = await governed.machine.store.get([{ pk: "CUR#42161", sk: "." }]);
  const watcher = await governed.machine.watching();
  return { faults: await faults(), cursor: cursor?.data, round: watcher?.standing() };
}

const faults = async () => (await get<Health>(governed.machine, "/api/health")).faults?.join("\n");

test(
  "a node that nobody reaches for thousands of blocks: a fault meanwhile, and then all of it",
  async () => {
    const { devnet, proxy } = governed;
    await pay(0, 1n);
    await expectBooksOfChain(governed);
    await proxy.leave();
    await expect.poll(faults, POLL).toContain("chain cannot be read");
    for (let part = 0; part < 4; part++) {
      await devnet.mine(600);
      await pay(part % 2, 10n + BigInt(part));
    }
    await proxy.comeBack();
    await expectBooksOfChain(governed, 60_000);
    await expect.poll(faults, POLL).toBe("");
  },
  SLOW,
);

test(
  "a node that names another chain: a fault that says which, and nothing read from it",
  async () => {
    const { proxy, machine } = governed;
    await pay(0, 1n);
    await expectBooksOfChain(governed);
    const before = await ourBooks(machine);
    proxy.misbehave({ claims: { eth_chainId: "0x1" } });
    await governed.restart(); // a node that was asked is believed for a while
    await expect.poll(faults, POLL).toContain("answers for chain 1, not 42161");
    await pay(1, 2n);
    expect(await ourBooks(governed.machine)).toEqual(before);
    proxy.honest();
    await expectBooksOfChain(governed, 60_000);
  },
  SLOW,
);

test(
  "a node that refuses, lags, stands still and lies about logs in turns while agents pay: the books end up right",
  async () => {
    const { devnet, proxy } = governed;
    const turns: readonly ((block: number) => Misbehaviour)[] = [
      () => ({ rate: { as: "http", retryAfterSeconds: 1 } }),
      (lacksAbove) => ({ lacksAbove }),
      () => ({ failing: ["eth_getLogs"] }),
      (at) => ({ stale: { at } }),
      () => ({ blocksMax: 2 }),
      () => ({ door: "html" }),
      () => ({ logs: ["reverse"] }),
      () => ({ halves: true }),
      () => ({ stale: { behind: 9 } }),
      () => ({ logsMax: 5 }),
    ];
    for (const [index, faults] of turns.entries()) {
      await pay(0, 100n + BigInt(index));
      proxy.misbehave(faults(await devnet.blockNumber()));
      await pay(index % 2, 200n + BigInt(index));
      await devnet.reorg(1 + (index % 4));
      await pay(1, 300n + BigInt(index));
    }
    proxy.honest();
    await expectBooksOfChain(governed, 60_000);
  },
  SLOW,
);

test(
  "another chain of the same id in place of the one that was read: a fault that says so, and nothing taken back",
  async () => {
    await pay(0, 1n);
    await governed.devnet.mine(400);
    await pay(1, 2n);
    await expectBooksOfChain(governed);
    const before = await ourBooks(governed.machine);
    const devnet = await startDevnet();
    await devnet.mine(600);
    await governed.restart({ devnet, proxy: await startRpcProxy(devnet.rpcUrl) });
    expect(await devnet.blockNumber()).toBeGreaterThan(governed.startBlock + 420);
    // Once it was not told, and nobody knows why: should it be so again, the cursor and the last round say more.
    await expect
      .poll(standingOfAll, POLL)
      .toMatchObject({ faults: expect.stringMatching(/history|another chain|other chain|started anew/) });
    for (let looks = 10; looks > 0; looks--) {
      await devnet.mine(2);
      expect(await ourBooks(governed.machine)).toEqual(before);
    }
  },
  SLOW,
);
