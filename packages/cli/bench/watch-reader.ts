/**
 * Who confirms payments in the watch bench, in a process of its own: `machine DATA CONFIG_FILE RPC_URL INTERVAL_MS`, the
 * one-machine edition, prints its URL once it follows the chain, and then each payment as it settles; `viem RPC_URL
 * [INTERVAL_MS]` reads a transaction hash a line and prints each as viem's waitForTransactionReceipt has its receipt.
 * What is printed is the id or hash, a blank, and the time in milliseconds.
 */
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { createClient, type Hash, http } from "viem";
import { waitForTransactionReceipt } from "viem/actions";
import { arbitrum } from "viem/chains";

const [kind, ...rest] = process.argv.slice(2);
const print = (line: string): void => void process.stdout.write(`${line}\n`);

if (kind === "machine") {
  const { parseConfig } = await import("@bursar/events/config-schema");
  const { startMachine } = await import("../src/machine.ts");
  const [data = "", file = "", rpcUrl = "", intervalMs] = rest;
  const config = parseConfig(JSON.parse(readFileSync(file, "utf8")));
  const watch = { rpcUrls: [rpcUrl], intervalMs: Number(intervalMs) };
  const machine = await startMachine({ data, config, port: 0, watch });
  let isFollowing = false;
  machine.on((event) => {
    // A local chain's blocks are safe a moment later: that a payment is settled may be heard together with that.
    if (event.kind === "payment" && !isSettled(event.before?.state) && isSettled(event.data.state))
      print(`${event.data.id} ${Date.now()}`);
    if (event.kind !== "heads" || isFollowing) return;
    isFollowing = true;
    print(machine.url);
  });
} else {
  const [rpcUrl = "", intervalMs] = rest;
  const interval = intervalMs === undefined ? {} : { pollingInterval: Number(intervalMs) };
  const client = createClient({ chain: arbitrum, transport: http(rpcUrl), ...interval });
  print(String(client.pollingInterval));
  for await (const hash of createInterface({ input: process.stdin }))
    void waitForTransactionReceipt(client, { hash: hash as Hash }).then(
      ({ status }) => status === "success" && print(`${hash} ${Date.now()}`),
      (error: Error) => console.error(`viem gave up on ${hash}: ${error.message}`),
    );
}

function isSettled(state: string | undefined): boolean {
  return state === "settled" || state === "safe" || state === "final";
}
