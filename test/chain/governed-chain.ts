/**
 * A whole machine over a real local chain: agents with wallets, an API, budgets that never end, and what tests hold
 * them against, which is the chain's own word on what left the wallets.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Machine, startMachine } from "@bursar/cli/machine";
import { recount } from "@bursar/core/recount";
import type { SignedAuthorization } from "@bursar/demo/authorization";
import { type Devnet, startDevnet } from "@bursar/demo/devnet";
import { outflows } from "@bursar/demo/outflows";
import { type RpcProxy, startRpcProxy } from "@bursar/demo/rpc-proxy";
import { parseConfig } from "@bursar/events/config-schema";
import { type PaymentKey, paymentId } from "@bursar/events/ids";
import type { Budget, Payment } from "@bursar/events/shapes";
import { expect } from "vitest";

export interface Agent {
  readonly id: string;
  readonly account: ReturnType<Devnet["account"]>;
  /** Lower case. */
  readonly wallet: string;
}

export interface GovernedChain {
  readonly devnet: Devnet;
  /** Between the machine and the chain. */
  readonly proxy: RpcProxy;
  readonly machine: Machine;
  readonly agents: readonly Agent[];
  /** Where API and others are paid; the first is the API's. */
  readonly payees: readonly ReturnType<Devnet["account"]>[];
  /** The first block in which agents pay. */
  readonly startBlock: number;
  /** Stops the machine, and starts it on the same table; a chain of its own may have come in place of the old one. */
  restart(on?: { readonly devnet: Devnet; readonly proxy: RpcProxy }): Promise<void>;
  stop(): Promise<void>;
}

export interface GovernedOptions {
  readonly agents: number;
  readonly payees?: number;
  /** Default 0.25; 3600 leaves every block to the test. */
  readonly blockTimeSeconds?: number;
  /** What each agent begins with, atomic units. Default $100. */
  readonly funds?: bigint;
  readonly deadlineSeconds?: number;
}

/** No reorg of a test reaches the funding. */
const SETTLED_BLOCKS = 40;

export async function startGovernedChain(options: GovernedOptions): Promise<GovernedChain> {
  const { funds = 100_000_000n, deadlineSeconds = 3600, blockTimeSeconds } = options;
  const directory = mkdtempSync(join(tmpdir(), "bursar-governed-"));
  let devnet = await startDevnet({ blockTimeSeconds });
  let proxy = await startRpcProxy(devnet.rpcUrl);
  const agents = Array.from({ length: options.agents }, (_, index): Agent => {
    const account = devnet.account(index);
    return { id: `agent-${index}`, account, wallet: account.address.toLowerCase() };
  });
  const payees = Array.from({ length: options.payees ?? 2 }, (_, index) => devnet.account(100 + index));
  for (const { account } of agents) await devnet.fund(account.address, funds);
  await devnet.mine(SETTLED_BLOCKS);
  const startBlock = (await devnet.blockNumber()) + 1;
  const total = { window: "total", limitUsd: "1000000", mode: "observe" };
  const config = parseConfig({
    org: "acme",
    agents: Object.fromEntries(agents.map(({ id, wallet }) => [id, { wallets: [wallet] }])),
    apis: { reports: { payTo: [payees[0]?.address] } },
    budgets: [
      { id: "org", scope: { org: "*" }, ...total },
      { id: "agent", scope: { agent: "*" }, ...total },
      { id: "payee", scope: { payee: "*" }, ...total },
    ],
    deadlines: { settleSeconds: deadlineSeconds, reportSeconds: deadlineSeconds },
    limits: { maxPaymentUsd: "1000000" },
  });
  const start = () =>
    startMachine({
      ...{ data: join(directory, "data"), config, port: 0 },
      watch: { rpcUrls: [proxy.url], intervalMs: 50, startBlock },
    });
  let machine = await start();
  await machine.ready;
  const stopChain = async () => {
    await proxy.close();
    await devnet.stop();
  };
  return {
    ...{ agents, payees, startBlock },
    get devnet() {
      return devnet;
    },
    get proxy() {
      return proxy;
    },
    get machine() {
      return machine;
    },
    async restart(on) {
      await machine.stop();
      if (on !== undefined) {
        await stopChain();
        ({ devnet, proxy } = on);
      }
      machine = await start();
      await machine.ready;
    },
    async stop() {
      await machine.stop();
      await stopChain();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** An authorization's key and payment id. */
export function keyOf({ authorization }: SignedAuthorization, asset: string): { key: PaymentKey; id: string } {
  const { from, nonce } = authorization;
  const payer = from.toLowerCase();
  const key = { method: "eip3009" as const, chainId: 42161, asset, payer, nonce: nonce.toLowerCase() };
  return { key, id: paymentId(key) };
}

let told = 0;

/** Events of one source, as its SDK puts them: without a signature, which the machine does not ask for. */
export async function put(machine: Machine, source: string, events: readonly object[]): Promise<void> {
  const stamped = events.map((event) => ({ id: `e${told++}`, at: new Date().toISOString(), ...event }));
  const detail = (part: readonly object[]) => JSON.stringify({ version: 1, events: part });
  for (let at = 0; at < stamped.length; at += 50) {
    const entry = { Source: source, DetailType: "payment.events.v1", Detail: detail(stamped.slice(at, at + 50)) };
    const response = await fetch(`${machine.url}/aws/events`, {
      method: "POST",
      headers: { "content-type": "application/x-amz-json-1.1", "x-amz-target": "AWSEvents.PutEvents" },
      body: JSON.stringify({ Entries: [entry] }),
    });
    expect(await response.json()).toMatchObject({ FailedEntryCount: 0 });
  }
}

/** What an agent says of a payment that it signed; with a hash, also that it was answered with it. */
export function agentSays(signed: SignedAuthorization, asset: string, txHash?: string): object[] {
  const { key } = keyOf(signed, asset);
  const { value, to, validBefore } = signed.authorization;
  const terms = { amount: value.toString(), payTo: to, validBefore: validBefore.toString() };
  const answered = { type: "agent.response_received", payment: key, status: 200, settled: true, txHash };
  return [{ type: "agent.authorization_signed", payment: key, ...terms }, ...(txHash === undefined ? [] : [answered])];
}

export async function get<T>(machine: Machine, path: string): Promise<T> {
  const response = await fetch(`${machine.url}${path}`);
  expect(response.status).toBe(200);
  return (await response.json()) as T;
}

export async function payment(machine: Machine, id: string): Promise<Payment | null> {
  const response = await fetch(`${machine.url}/api/payments/${encodeURIComponent(id)}`);
  return response.status === 200 ? ((await response.json()) as Payment) : null;
}

/** Every payment, page by page. */
export async function payments(machine: Machine): Promise<readonly Payment[]> {
  const all: Payment[] = [];
  let cursor: string | null = null;
  do {
    const after: string = cursor === null ? "" : `&cursor=${encodeURIComponent(cursor)}`;
    const page: { payments: Payment[]; nextCursor: string | null } = await get(
      machine,
      `/api/payments?limit=1000${after}`,
    );
    all.push(...page.payments);
    cursor = page.nextCursor;
  } while (cursor !== null);
  return all;
}

/** Figures by `<what> <whom>`, such as `spent agent:agent-0`, and the payments that are settled with their amounts. */
export interface Books {
  readonly spent: { readonly [scope: string]: string };
  readonly settled: readonly string[];
}

const LIVE: ReadonlySet<string> = new Set(["settled", "safe", "final"]);

export async function ourBooks(machine: Machine): Promise<Books> {
  const { budgets } = await get<{ budgets: Budget[] }>(machine, "/api/budgets");
  const spent = budgets.filter((row) => row.spent !== "0").map((row) => [row.scope, row.spent] as const);
  const settled = (await payments(machine))
    .filter(({ state }) => LIVE.has(state))
    .map(({ id, amount }) => `${id} ${amount}`);
  return { spent: Object.fromEntries(spent.sort()), settled: settled.sort() };
}

/** The same from the chain alone. */
export async function chainBooks({ devnet, agents, startBlock }: GovernedChain): Promise<Books> {
  const owner = new Map(agents.map(({ id, wallet }) => [wallet, id]));
  const found = await outflows(devnet.client, [...owner.keys()], startBlock);
  const spent = new Map<string, bigint>();
  for (const { payer, payee, amount } of found)
    for (const scope of ["org:acme", `agent:${owner.get(payer)}`, `payee:${payee}`])
      spent.set(scope, (spent.get(scope) ?? 0n) + amount);
  return {
    spent: Object.fromEntries([...spent].map(([scope, amount]) => [scope, amount.toString()] as const).sort()),
    settled: found.map(({ id, amount }) => `${id} ${amount}`).sort(),
  };
}

/** Waits until the machine's books are the chain's, and proves that every counter is the sum of its payments. */
export async function expectBooksOfChain(governed: GovernedChain, patienceMs = 30_000): Promise<void> {
  const { machine } = governed;
  await machine.drained();
  const should = await chainBooks(governed);
  await expect.poll(() => ourBooks(machine), { timeout: patienceMs, interval: 100 }).toEqual(should);
  const { store, readable } = machine;
  await expect
    .poll(() => recount(store, readable.world, new Date().toISOString()), { timeout: 10_000 })
    .toMatchObject({ wrong: [], stale: 0 });
}
