import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { getBlock, getLogs, getTransactionReceipt, readContract } from "viem/actions";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { anvilBinary } from "../src/anvil.ts";
import { signAuthorization } from "../src/authorization.ts";
import { type Devnet, startDevnet } from "../src/devnet.ts";
import { cancel } from "../src/settlement.ts";
import { balanceOf, transfer, USDC_ABI } from "../src/usdc.ts";

const SLOW = 120_000;
const AUTHORIZATION_USED = "0x98de503528ee59b575ef0c0a2576a82497bfc029a5685b209e9ec333479b10a5";
let devnet: Devnet;

beforeAll(async () => {
  devnet = await startDevnet();
}, SLOW);
afterAll(() => devnet?.stop());

describe("startDevnet", () => {
  test(
    "settles one authorization as USDC does",
    async () => {
      const [payer, payee] = [devnet.account(0), devnet.account(1)];
      await devnet.fund(payer.address, 1_000_000n);
      const signed = await signAuthorization(payer, { to: payee.address, value: 10_000n });
      const receipt = await devnet.settle(signed);
      expect(receipt.status).toBe("success");
      expect(receipt.logs.map((log) => log.topics[0])[0]).toBe(AUTHORIZATION_USED);
      expect(receipt.logs).toHaveLength(2);
      expect(await balanceOf(devnet.client, payee.address)).toBe(10_000n);
      expect((await devnet.settle(signed)).status).toBe("reverted");
    },
    SLOW,
  );

  test(
    "settles several authorizations in one transaction",
    async () => {
      const [a, b, payee] = [devnet.account(2), devnet.account(3), devnet.account(4)];
      await devnet.fund(a.address, 100n);
      await devnet.fund(b.address, 100n);
      const signed = await Promise.all(
        [a, b, a].map((payer) => signAuthorization(payer, { to: payee.address, value: 7n })),
      );
      const receipt = await devnet.settle(...signed);
      expect(receipt.status).toBe("success");
      expect(receipt.logs).toHaveLength(6);
      expect(await balanceOf(devnet.client, payee.address)).toBe(21n);
    },
    SLOW,
  );

  test(
    "cancels an authorization, and transfers without one",
    async () => {
      const [payer, payee] = [devnet.account(5), devnet.account(6)];
      await devnet.fund(payer.address, 100n);
      const signed = await signAuthorization(payer, { to: payee.address, value: 5n });
      const { nonce } = signed.authorization;
      expect((await cancel(devnet.client, devnet.accounts.relayer, payer, nonce)).status).toBe("success");
      const state = { address: devnet.usdc, abi: USDC_ABI, functionName: "authorizationState" } as const;
      expect(await readContract(devnet.client, { ...state, args: [payer.address, nonce] })).toBe(true);
      expect((await transfer(devnet.client, payer, payee.address, 3n)).status).toBe("success");
      expect(await balanceOf(devnet.client, payer.address)).toBe(97n);
    },
    SLOW,
  );

  test(
    "takes settlements back in a reorg, and settles again after it",
    async () => {
      const [payer, payee] = [devnet.account(7), devnet.account(8)];
      await devnet.fund(payer.address, 100n);
      await devnet.mine(5);
      const signed = await signAuthorization(payer, { to: payee.address, value: 5n });
      const receipt = await devnet.settle(signed);
      const depth = (await devnet.blockNumber()) - Number(receipt.blockNumber) + 1;
      await devnet.reorg(depth + 1);
      expect(await balanceOf(devnet.client, payee.address)).toBe(0n);
      await expect(getTransactionReceipt(devnet.client, { hash: receipt.transactionHash })).rejects.toThrow();
      expect((await devnet.settle(signed)).status).toBe("success");
    },
    SLOW,
  );

  test(
    "tells the time as it is, however many blocks were taken back",
    async () => {
      for (let n = 0; n < 3; n++) {
        await devnet.mine(5);
        await new Promise((resolve) => setTimeout(resolve, 2_500)); // time itself is what a reorg takes back
        await devnet.reorg(9);
      }
      await devnet.mine(1);
      const { timestamp } = await getBlock(devnet.client);
      expect(Math.abs(Date.now() / 1000 - Number(timestamp))).toBeLessThan(4);
    },
    SLOW,
  );

  test(
    "has safe and finalized blocks that follow",
    async () => {
      await devnet.mine(5);
      const [latest, safe, finalized] = await Promise.all(
        (["latest", "safe", "finalized"] as const).map(
          async (blockTag) => (await getBlock(devnet.client, { blockTag })).number,
        ),
      );
      expect(Number(latest) - Number(safe)).toBeLessThan(4);
      expect(Number(safe)).toBeGreaterThanOrEqual(Number(finalized));
    },
    SLOW,
  );

  test(
    "goes on from its state file",
    async () => {
      const directory = mkdtempSync(join(tmpdir(), "bursar-devnet-"));
      const stateFile = join(directory, "chain.json");
      const first = await startDevnet({ stateFile });
      const payer = first.account(0);
      await first.fund(payer.address, 100n);
      const signed = await signAuthorization(payer, { to: first.account(1).address, value: 5n });
      const receipt = await first.settle(signed);
      await first.stop();
      const second = await startDevnet({ stateFile });
      try {
        expect(await balanceOf(second.client, payer.address)).toBe(95n);
        const { blockNumber } = receipt;
        const logs = await getLogs(second.client, {
          address: second.usdc,
          fromBlock: blockNumber,
          toBlock: blockNumber,
        });
        expect(logs.map((log) => log.transactionHash)).toContain(receipt.transactionHash);
        await second.fund(payer.address, 5n);
        expect(await balanceOf(second.client, payer.address)).toBe(100n);
      } finally {
        await second.stop();
        rmSync(directory, { recursive: true });
      }
    },
    SLOW,
  );

  test(
    "leaves no chain behind when its process is killed",
    async () => {
      const script = `import { startAnvil } from ${JSON.stringify(new URL("../src/anvil.ts", import.meta.url).href)};
      const anvil = await startAnvil({ chainId: 42161 });
      console.log(anvil.pid);
      setInterval(() => {}, 1000);`;
      const child = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", script], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      const [line] = (await once(child.stdout, "data")) as [Buffer];
      const pid = Number(line.toString());
      expect(alive(pid)).toBe(true);
      child.kill("SIGKILL");
      await expect.poll(() => alive(pid), { timeout: 10_000 }).toBe(false);
    },
    SLOW,
  );
});

describe("anvilBinary", () => {
  test(
    "a state that is none is named, at once",
    async () => {
      const stateFile = join(mkdtempSync(join(tmpdir(), "bursar-devnet-")), "chain.json");
      writeFileSync(stateFile, '{"a":');
      try {
        await expect(startDevnet({ stateFile })).rejects.toThrow(
          `cannot be loaded from ${stateFile}: move its data directory away`,
        );
      } finally {
        rmSync(dirname(stateFile), { recursive: true });
      }
    },
    SLOW,
  );

  test("names the platform it has no binary for", () => {
    expect(() => anvilBinary("aix", "ppc64")).toThrow(/aix on ppc64.*@foundry-rs\/anvil-aix-ppc64/);
  });
});

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
