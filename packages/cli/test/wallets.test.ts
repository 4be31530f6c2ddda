/** The machine and a real chain: balances, what is low, empty and refilled, what is blocked, and `bursar wallets`. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { signAuthorization } from "@bursar/demo/authorization";
import { mined } from "@bursar/demo/dev-client";
import { type Devnet, startDevnet } from "@bursar/demo/devnet";
import { transfer } from "@bursar/demo/usdc";
import { parseConfig } from "@bursar/events/config-schema";
import type { Alert, Wallet } from "@bursar/events/shapes";
import { encodeAbiParameters, encodeFunctionData, keccak256, numberToHex, parseAbi, parseAbiParameters } from "viem";
import { sendTransaction } from "viem/actions";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { MachineEvent } from "../src/feed.ts";
import { type Machine, startMachine } from "../src/machine.ts";
import { feedLine } from "../src/terminal/feed-line.ts";
import { directoryForTest } from "./machines.ts";
import { clientOf, entryOf, put, USDC } from "./producers.ts";
import { PLAIN } from "./samples.ts";
import { typed } from "./typed.ts";

const SLOW = 120_000;
const PATIENCE = { timeout: 60_000, interval: 100 };
const ROLES = parseAbi(["function blacklist(address account)", "function unBlacklist(address account)"]);
const SLOT = parseAbiParameters("address, uint256");

let devnet: Devnet;
let machine: Machine;
let directory: string;
let addresses: Record<"research" | "trader", string>;
const events: MachineEvent[] = [];
const configOf = () => ({
  org: "acme",
  agents: { research: { wallets: [addresses.research] }, trader: { wallets: [addresses.trader] } },
});
const start = async (readMs = 500, data = "data"): Promise<Machine> => {
  const watch = { rpcUrls: [devnet.rpcUrl], intervalMs: 100, readMs };
  const one = await startMachine({ data: join(directory, data), config: parseConfig(configOf()), port: 0, watch });
  one.on((event) => events.push(event));
  return one;
};

beforeAll(async () => {
  devnet = await startDevnet();
  directory = directoryForTest();
  addresses = {
    research: devnet.account(0).address.toLowerCase(),
    trader: devnet.account(1).address.toLowerCase(),
  };
  await devnet.fund(devnet.account(0).address, 2_000_000n);
  await devnet.fund(devnet.account(1).address, 50_000_000n);
  writeFileSync(join(directory, "config.json"), JSON.stringify(configOf()));
  machine = await start();
}, SLOW);
afterAll(async () => {
  await machine?.stop();
  await devnet?.stop();
});

async function wallets(): Promise<Record<string, Wallet>> {
  const answer = await (await fetch(`${machine.url}/api/wallets`)).json();
  return Object.fromEntries((answer as { wallets: Wallet[] }).wallets.map((one) => [one.address, one]));
}
async function alerts(rule: string): Promise<Alert[]> {
  const answer = await (await fetch(`${machine.url}/api/alerts`)).json();
  return (answer as { alerts: Alert[] }).alerts.filter((one) => one.rule === rule);
}
const until = (check: () => Promise<void>) => vi.waitFor(check, PATIENCE);
const bursar = (...argv: string[]) => typed(argv, { cwd: directory });
async function blacklist(functionName: "blacklist" | "unBlacklist", who: string) {
  const data = encodeFunctionData({ abi: ROLES, functionName, args: [who as `0x${string}`] });
  const sent = { account: devnet.accounts.owner, to: devnet.usdc, data, gas: 200_000n } as const;
  await mined(devnet.client, await sendTransaction(devnet.client, sent));
}
/** A signed payment of $0.01, and the events by which its agent tells of it. */
async function claimOf(index: number, agentId: string) {
  const payTo = devnet.account(9).address;
  const signed = await signAuthorization(devnet.account(index), { to: payTo, value: 10_000n });
  const { nonce, validBefore } = signed.authorization;
  const payer = devnet.account(index).address.toLowerCase();
  const payment = { method: "eip3009", chainId: 42161, asset: USDC, payer, nonce };
  const at = new Date().toISOString();
  const claim = { payment, amount: "10000", payTo, validBefore: String(validBefore) };
  const report = (txHash: string | null) =>
    entryOf(`bursar.agent.${agentId}`, [
      { type: "agent.authorization_signed", id: `${nonce}-1`, at, ...claim },
      ...(txHash === null
        ? []
        : [{ type: "agent.response_received", id: `${nonce}-2`, at, payment, status: 402, settled: false, txHash }]),
    ]);
  return { signed, report };
}

describe("the governed wallets", { timeout: SLOW }, () => {
  test("are read at the start", async () => {
    await until(async () =>
      expect(await wallets()).toMatchObject({
        [addresses.research]: { agentIds: ["research"], balance: "2000000", status: "ok", runwaySeconds: null },
        [addresses.trader]: { balance: "50000000", status: "ok" },
      }),
    );
  });

  test("become low by a payment that the chain shows, and say how long the rest lasts", async () => {
    const frames = await fetch(`${machine.url}/api/stream`);
    const reader = (frames.body as ReadableStream<Uint8Array>).getReader();
    const to = devnet.account(9).address;
    await devnet.settle(await signAuthorization(devnet.account(0), { to, value: 1_500_000n }));
    await until(async () => {
      expect((await wallets())[addresses.research]).toMatchObject({ balance: "500000", status: "low" });
      expect(await alerts("wallet_low")).toMatchObject([
        { id: `wallet_low/wallet:${addresses.research}/-`, status: "open", severity: "warning", count: 1 },
      ]);
    });
    expect((await wallets())[addresses.research]?.runwaySeconds).toBeGreaterThan(0);
    expect((await alerts("wallet_runway"))[0]?.status).toBe("open");
    let text = "";
    while (!text.includes('"kind":"wallet"')) text += new TextDecoder().decode((await reader.read()).value);
    await reader.cancel();
  });

  test("become empty by a plain transfer, and are no break of the balance: it was seen", async () => {
    await transfer(devnet.client, devnet.account(0), devnet.account(9).address, 500_000n);
    await until(async () => {
      expect((await wallets())[addresses.research]).toMatchObject({ balance: "0", status: "empty" });
      expect(await alerts("wallet_empty")).toMatchObject([{ status: "open", severity: "critical" }]);
    });
    const shown = await bursar("wallets", "--port", String(machine.port));
    expect(shown.out).toContain(`${addresses.research}  research    $0.00  empty`);
    expect(shown.out).toMatch(/trader +\$50\.00 {2}ok/);
    expect(await alerts("unexplained_outflow")).toEqual([]);
  });

  test("a claim above what is there is warned of", async () => {
    const { report } = await claimOf(0, "research");
    await put(clientOf(machine.url), [report(null)]);
    await until(async () => expect((await alerts("claim_above_balance"))[0]?.status).toBe("open"));
  });

  test("stay what they are over a restart, and no alert opens a second time", async () => {
    await machine.stop();
    events.length = 0;
    machine = await start();
    await until(async () => expect((await wallets())[addresses.research]?.status).toBe("empty"));
    const { updatedAt } = (await wallets())[addresses.research] as Wallet;
    await until(async () => expect((await wallets())[addresses.research]?.updatedAt).not.toBe(updatedAt));
    expect(await alerts("wallet_empty")).toMatchObject([{ status: "open", count: 1 }]);
    expect(events.filter(({ kind }) => kind === "alert")).toEqual([]);
  });

  test("are refilled: the alerts end, and say so", async () => {
    await devnet.fund(devnet.account(0).address, 20_000_000n);
    await until(async () => {
      expect((await wallets())[addresses.research]).toMatchObject({ balance: "20000000", status: "ok" });
      expect(await alerts("wallet_empty")).toMatchObject([{ status: "resolved" }]);
      expect(await alerts("wallet_low")).toMatchObject([{ status: "resolved" }]);
    });
    expect((await alerts("wallet_empty"))[0]?.text).toContain("was refilled: it holds $20.00");
    const lines = events.flatMap((event) => (event.kind === "wallet" ? (feedLine(event, PLAIN) ?? []) : []));
    expect(lines.some((line) => line.includes("research wallet") && line.includes("is refilled"))).toBe(true);
  });

  test("have their balance back when a reorg takes a payment back, and nothing of it is unexplained", async () => {
    await devnet.mine(20);
    const balance = async () => (await wallets())[addresses.research]?.balance;
    await devnet.settle(
      await signAuthorization(devnet.account(0), { to: devnet.account(9).address, value: 5_000_000n }),
    );
    await until(async () => expect(await balance()).toBe("15000000"));
    await devnet.reorg(8);
    await until(async () => expect(await balance()).toBe("20000000"));
    await devnet.settle(
      await signAuthorization(devnet.account(0), { to: devnet.account(9).address, value: 1_000_000n }),
    );
    await until(async () => expect(await balance()).toBe("19000000"));
    expect(await alerts("unexplained_outflow")).toEqual([]);
  });

  test("USDC that leaves by no log is critical, with its amount", async () => {
    // FiatToken keeps balances in slot 9: what no honest chain does, and what a node that hides logs looks like.
    const slot = keccak256(encodeAbiParameters(SLOT, [devnet.account(0).address, 9n]));
    const params = [devnet.usdc, slot, numberToHex(18_250_000n, { size: 32 })] as const;
    await devnet.client.request({ method: "anvil_setStorageAt", params } as never);
    await until(async () =>
      expect(await alerts("unexplained_outflow")).toMatchObject([
        { subject: `wallet:${addresses.research}`, severity: "critical", count: 1 },
      ]),
    );
    expect((await alerts("unexplained_outflow"))[0]?.text).toContain(`$0.75 left wallet ${addresses.research}`);
  });

  test("one that USDC's issuer blacklists is critical, and that ends with the blacklisting", async () => {
    await blacklist("blacklist", addresses.trader);
    await until(async () =>
      expect(await alerts("wallet_blacklisted")).toMatchObject([
        { subject: `wallet:${addresses.trader}`, status: "open", severity: "critical" },
      ]),
    );
    expect((await wallets())[addresses.trader]).toMatchObject({ balance: "50000000", blocked: "blacklisted" });
    const shown = await bursar("wallets", "--port", String(machine.port));
    expect(shown.out).toContain("is blacklisted by USDC's issuer");
    await blacklist("unBlacklist", addresses.trader);
    await until(async () => expect(await alerts("wallet_blacklisted")).toMatchObject([{ status: "resolved" }]));
  });

  test("are listed from the directory when no machine runs", async () => {
    await machine.stop();
    const from = ["--data", join(directory, "data"), "--config", join(directory, "config.json")];
    const shown = await bursar("wallets", ...from);
    expect(shown).toMatchObject({ code: 0, err: "" });
    expect(shown.out).toMatch(/research +\$18\.25 {2}ok/);
    expect(shown.out).toContain("no machine runs");
    const { wallets: listed, nextCursor } = JSON.parse((await bursar("wallets", ...from, "--json")).out);
    expect(listed.map(({ balance }: Wallet) => balance).sort()).toEqual(["18250000", "50000000"]);
    expect(nextCursor).toBeNull();
  });

  test("a payment that reverted for the blacklist has the flags read at once, long before balances are due", async () => {
    machine = await start(3_600_000, "other");
    await until(async () => expect((await wallets())[addresses.trader]?.status).toBe("ok"));
    await blacklist("blacklist", addresses.trader);
    const { signed, report } = await claimOf(1, "trader");
    const { status, transactionHash } = await devnet.settle(signed);
    expect(status).toBe("reverted");
    await put(clientOf(machine.url), [report(transactionHash)]);
    await until(async () => expect(await alerts("wallet_blacklisted")).toMatchObject([{ status: "open" }]));
  });
});
