/** `bursar watch --once` and `bursar backfill`, as somebody types them, on a real chain. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { signAuthorization } from "@bursar/demo/authorization";
import { type Devnet, startDevnet } from "@bursar/demo/devnet";
import { parseConfig } from "@bursar/events/config-schema";
import type { Payment } from "@bursar/events/shapes";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import type { Machine } from "../src/machine.ts";
import type { ChainStanding } from "../src/watcher.ts";
import { directoryForTest, machineForTest } from "./machines.ts";
import { typed } from "./typed.ts";

const SLOW = 180_000;
const POLL = { timeout: 60_000, interval: 100 };
let devnet: Devnet;
let directory: string;
let machine: Machine | null;
let next = 0;

beforeAll(async () => {
  devnet = await startDevnet();
}, SLOW);
afterAll(() => devnet?.stop());
beforeEach(() => {
  directory = directoryForTest();
  machine = null;
});
afterEach(() => machine?.stop());

/** A wallet with USDC that pays `values`, one transaction each. */
async function payer(...values: bigint[]) {
  const account = devnet.account(next++);
  await devnet.fund(account.address, 1_000_000n);
  for (const value of values)
    await devnet.settle(await signAuthorization(account, { to: devnet.account(500).address, value }));
  return account.address.toLowerCase();
}

/** A machine over this wallet alone, which reads from its own start. */
async function start(wallet: string, rpcUrls = [devnet.rpcUrl]): Promise<Machine> {
  const config = { org: "acme", chains: [{ id: 42161, rpcUrls }], agents: { research: { wallets: [wallet] } } };
  writeFileSync(join(directory, "bursar.config.json"), JSON.stringify(config));
  machine = await machineForTest({
    data: join(directory, ".bursar"),
    config: parseConfig(config),
    watch: rpcUrls.length === 0 ? undefined : { rpcUrls, intervalMs: 50 },
  });
  const started = machine;
  if (rpcUrls.length > 0)
    await expect.poll(async () => (await started.watching())?.standing()?.scanned ?? 0, POLL).toBeGreaterThan(0);
  return machine;
}

const type = (words: string) => typed(words.split(" "), { cwd: directory });

async function payments(from: Machine): Promise<readonly Payment[]> {
  return ((await (await fetch(`${from.url}/api/payments`)).json()) as { payments: readonly Payment[] }).payments;
}

test(
  "a backfill brings what was paid before, and a second one tells nothing twice",
  async () => {
    const from = await devnet.blockNumber();
    const wallet = await payer(1n, 2n, 3n);
    await devnet.mine(10);
    const started = await start(wallet);
    expect(await payments(started)).toEqual([]);
    const first = await type(`backfill --from ${from} --wait --port ${started.port}`);
    expect(first).toMatchObject({ code: 0, err: "" });
    expect(first.out).toMatch(/^Blocks .* of all wallets are read\./);
    const found = await payments(started);
    expect(found.map(({ amount }) => amount).sort()).toEqual(["1", "2", "3"]);
    await devnet.mine(600); // final for good: the journal has forgotten them
    await expect.poll(async () => (await started.watching())?.standing()?.final, POLL).toBeGreaterThan(from + 500);
    const again = await type(`backfill --from ${from} --wallet ${wallet} --wait --json --port ${started.port}`);
    expect(JSON.parse(again.out)).toMatchObject({ fromBlock: from, wallets: [wallet], left: 0 });
    expect((await payments(started)).map(({ id, timeline }) => [id, timeline.length])).toEqual(
      found.map(({ id, timeline }) => [id, timeline.length]),
    );
  },
  SLOW,
);

test(
  "a backfill from a time begins with that time's first block",
  async () => {
    await devnet.mine(2);
    const began = new Date();
    // Block times are whole seconds: the next one is surely after it.
    await expect
      .poll(
        async () =>
          Number(
            (
              (await devnet.client.request({ method: "eth_getBlockByNumber", params: ["latest", false] })) as {
                timestamp: string;
              }
            ).timestamp,
          ) * 1000,
        POLL,
      )
      .toBeGreaterThan(began.getTime() + 1000);
    const wallet = await payer(5n);
    const started = await start(wallet);
    const ran = await type(`backfill --from ${began.toISOString()} --wait --json --port ${started.port}`);
    expect(ran).toMatchObject({ code: 0 });
    const { fromBlock } = JSON.parse(ran.out) as { fromBlock: number };
    const block = (number: number) =>
      devnet.client.request({
        method: "eth_getBlockByNumber",
        params: [`0x${number.toString(16)}`, false],
      }) as Promise<{
        timestamp: string;
      }>;
    expect(Number((await block(fromBlock)).timestamp) * 1000).toBeGreaterThanOrEqual(began.getTime());
    expect(Number((await block(fromBlock - 1)).timestamp) * 1000).toBeLessThan(began.getTime());
    expect((await payments(started)).map(({ amount }) => amount)).toEqual(["5"]);
  },
  SLOW,
);

test.each([
  ["", 2, /Say from where: --from BLOCK/],
  ["--from yesterday", 2, /--from is "yesterday": give a block's number, or a time with its offset/],
  ["--from 999999999", 1, /nothing to read again from there: the last block read is \d+/],
  ["--from 1 --wallet 0x12", 2, /--wallet is "0x12": give an address, 0x and 40 hex digits/],
  [`--from 1 --wallet 0x${"1".repeat(40)}`, 1, /is no governed wallet: see bursar wallets/],
])(
  "a backfill %s is refused with what to write",
  async (words, code, message) => {
    const started = await start(await payer());
    const ran = await type(`backfill ${words} --port ${started.port}`.replace("  ", " "));
    expect(ran).toMatchObject({ code });
    expect(ran.err).toMatch(message);
  },
  SLOW,
);

test(
  "orders about a chain that nobody watches say what to configure",
  async () => {
    const started = await start(`0x${"c".repeat(40)}`, []);
    for (const words of ["watch --once", "backfill --from 1"]) {
      const ran = await type(`${words} --port ${started.port}`);
      expect(ran.code).toBe(1);
      expect(ran.err).toMatch(/no chain is watched: name an RPC URL/);
    }
    expect(await (await fetch(`${started.url}/api/chain`)).json()).toEqual({ chain: null });
  },
  SLOW,
);

test(
  "watch --once has the machine read now, and says how far it is",
  async () => {
    const wallet = await payer();
    const started = await start(wallet);
    await devnet.mine(7);
    const newest = await devnet.blockNumber();
    const ran = await type(`watch --once --json --port ${started.port}`);
    const done = JSON.parse(ran.out) as ChainStanding;
    expect(done.scanned).toBeGreaterThanOrEqual(newest);
    expect(done).toMatchObject({ id: 42161, lagging: false, limited: null, nodes: [{ score: 1, restMs: 0 }] });
    const shown = await type(`watch --once --port ${started.port}`);
    expect(shown.code).toBe(0);
    expect(shown.out).toMatch(/^chain {5}42161 · block [\d,]+ · safe [\d,]+ · final [\d,]+\nread {6}to block/);
    expect((await type(`status --port ${started.port}`)).out).toMatch(/nodes {5}127\.0\.0\.1:\d+ {2}well/);
    expect((await type("watch")).err).toMatch(/watches all the time/);
  },
  SLOW,
);

test(
  "watch --once without a machine reads what was paid since it stopped",
  async () => {
    const wallet = await payer();
    const started = await start(wallet);
    await started.stop();
    machine = null;
    const account = devnet.account(next - 1);
    await devnet.settle(await signAuthorization(account, { to: devnet.account(500).address, value: 9n }));
    // The default port may be taken by somebody's real machine: then that one would be asked.
    const isTaken = await fetch("http://127.0.0.1:4402/api/health").then(
      () => true,
      () => false,
    );
    if (isTaken) return;
    const ran = await type(`watch --once --json --data ${join(directory, ".bursar")}`);
    expect(ran).toMatchObject({ code: 0, err: "" });
    expect(JSON.parse(ran.out)).toMatchObject({ behind: 0, lagging: false });
    const listed = await type(`payments --json --data ${join(directory, ".bursar")}`);
    expect((JSON.parse(listed.out) as { payments: Payment[] }).payments).toMatchObject([
      { amount: "9", payer: wallet },
    ]);
  },
  SLOW,
);
