/** The machine and a real chain: what agents and APIs claim is settled, or closed, by what a local Arbitrum shows. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { worldOf } from "@bursar/core/world";
import { signAuthorization } from "@bursar/demo/authorization";
import { type Devnet, startDevnet } from "@bursar/demo/devnet";
import { parseConfig } from "@bursar/events/config-schema";
import { paymentId } from "@bursar/events/ids";
import { openLmdbStore } from "@bursar/store/lmdb";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import type { MachineEvent } from "../src/feed.ts";
import type { Machine } from "../src/machine.ts";
import { createOverview } from "../src/overview.ts";
import { startWatcher } from "../src/watcher.ts";
import { directoryForTest, machineForTest, nextEvent } from "./machines.ts";
import { clientOf, entryOf, put, USDC } from "./producers.ts";

let devnet: Devnet;
let machine: Machine;
beforeAll(async () => {
  devnet = await startDevnet();
  const watch = { rpcUrls: [devnet.rpcUrl], intervalMs: 100 };
  machine = await machineForTest({ config: parseConfig({ org: "acme" }), watch });
  await nextEvent(machine, (event) => event.kind === "heads");
}, 60_000);
afterAll(async () => {
  await machine?.stop();
  await devnet?.stop();
});

const hex = (number: number) => `0x${number.toString(16)}`;
const isAt = (id: string, state: string) => (event: MachineEvent) =>
  event.kind === "payment" && event.data.id === id && event.data.state === state;

/** Signs a payment of the `index`th account; what agent and API say of it. */
async function payment(index: number, terms: { validBefore?: bigint } = {}) {
  const account = devnet.account(index);
  const payTo = devnet.account(9).address.toLowerCase();
  const signed = await signAuthorization(account, { to: devnet.account(9).address, value: 10_000n, ...terms });
  const payer = account.address.toLowerCase();
  const { nonce, validBefore } = signed.authorization;
  const key = { method: "eip3009" as const, chainId: 42161, asset: USDC, payer, nonce: nonce.toLowerCase() };
  const claim = { payment: key, amount: "10000", payTo, validBefore: validBefore.toString() };
  const report = (txHash: string | undefined) => {
    const at = new Date().toISOString();
    const hash = txHash === undefined ? {} : { txHash };
    return [
      entryOf(`bursar.agent.agent-${index}`, [
        { type: "agent.authorization_signed", id: `${nonce}-1`, at, ...claim },
        { type: "agent.response_received", id: `${nonce}-2`, at, payment: key, status: 200, settled: true, ...hash },
      ]),
      entryOf("bursar.api.reports", [
        { type: "api.verification_started", id: `${nonce}-3`, at, ...claim },
        { type: "api.content_returned", id: `${nonce}-4`, at, payment: key, status: 200 },
      ]),
    ];
  };
  return { account, signed, id: paymentId(key), report };
}

test("a payment that settled before anyone told of it, by a wallet that nobody registered, becomes matched and final", async () => {
  const { account, signed, id, report } = await payment(0);
  await devnet.fund(account.address, 1_000_000n);
  const { transactionHash } = await devnet.settle(signed);
  const states: string[] = [];
  machine.on((event) => {
    if (event.kind === "payment" && event.data.id === id) states.push(event.data.state);
  });
  const final = nextEvent(machine, isAt(id, "final"));
  await put(clientOf(machine.url), report(transactionHash));
  expect(await final).toMatchObject({
    data: { verdict: "matched", payer: account.address.toLowerCase(), amount: "10000" },
  });
  expect(states).toContain("submitted");
  expect(states.filter((state) => state === "final")).toHaveLength(1);
  const health = await machine.health();
  expect(health.status).toBe("ok");
  expect(health.chain.final).toBeGreaterThan(0);
});

test("an authorization that nobody used expires by the chain's word", async () => {
  const { id, report } = await payment(1, { validBefore: BigInt(Math.floor(Date.now() / 1000) + 1) });
  const expired = nextEvent(machine, isAt(id, "expired"));
  await put(clientOf(machine.url), report(undefined));
  expect(await expired).toMatchObject({ data: { verdict: "break", breaks: ["delivered_not_paid"] } });
});

test("a transaction that reverted is found by its claimed hash", async () => {
  const { signed, id, report } = await payment(2); // no USDC
  const { status, transactionHash } = await devnet.settle(signed);
  expect(status).toBe("reverted");
  const reverted = nextEvent(
    machine,
    (event) => event.kind === "payment" && event.data.id === id && event.data.breaks.includes("reverted"),
  );
  await put(clientOf(machine.url), report(transactionHash));
  expect(await reverted).toMatchObject({ data: { state: "signed" } });
});

test("a chain that was started anew under the same directory is told, not taken for one without payments", async () => {
  let newest = 1000;
  const node = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const calls = JSON.parse(Buffer.concat(parts).toString()) as { id: number; method: string; params: [string] }[];
    const block = (number: number) => ({ number: hex(number), hash: `0x${"a".repeat(64)}`, timestamp: "0x6b000000" });
    const result = ({ method, params }: (typeof calls)[number]) =>
      method === "eth_chainId"
        ? hex(42161)
        : method === "eth_getLogs"
          ? []
          : block(params[0].startsWith("0x") ? Number(params[0]) : newest);
    response.end(JSON.stringify(calls.map((call) => ({ jsonrpc: "2.0", id: call.id, result: result(call) }))));
  }).listen(0, "127.0.0.1");
  await once(node, "listening");
  const store = await openLmdbStore(directoryForTest());
  const config = parseConfig({ org: "acme" });
  const faults: (string | null)[] = [];
  const watcher = startWatcher({
    ...{ rpcUrls: [`http://127.0.0.1:${(node.address() as AddressInfo).port}`], intervalMs: 20, startBlock: undefined },
    ...{
      store,
      owned: () => Object.values(config.agents).flatMap(({ wallets }) => wallets),
      chainId: 42161,
      asset: USDC,
      overview: createOverview(() => worldOf(config).directory),
    },
    ...{ latest: () => null, tell: async () => {}, onFault: (message) => faults.push(message), laggingMs: 100 },
    now: () => new Date().toISOString(),
  });
  try {
    await vi.waitFor(() => expect(faults.at(-1)).toBe(null));
    newest = 10;
    await vi.waitFor(() => expect(faults.at(-1)).toMatch(/newest block is 10 and 1000 was read before.*--data/));
    newest = 1001;
    await vi.waitFor(() => expect(faults.at(-1)).toBe(null));
  } finally {
    await watcher.stop();
    await store.close();
    node.close();
  }
});
