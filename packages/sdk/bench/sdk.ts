/** `npm run bench -w @bursar/sdk`: what the SDK costs its host. A bus in this process, a facilitator that says yes. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { cpus } from "node:os";
import { privateKeyToAccount } from "viem/accounts";
import { createEmitter, type EmitInput, type Emitter } from "../src/index.ts";
import { agentFetch, NETWORK, openShop } from "../test/market.ts";

const bus = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    const { Entries } = JSON.parse(Buffer.concat(chunks).toString());
    response.writeHead(200, { "content-type": "application/x-amz-json-1.1" });
    response.end(JSON.stringify({ FailedEntryCount: 0, Entries: Entries.map(() => ({ EventId: "1" })) }));
  });
});
await new Promise<void>((resolve) => bus.listen(0, "127.0.0.1", resolve));
const endpoint = `http://127.0.0.1:${(bus.address() as AddressInfo).port}`;
const event: EmitInput = {
  type: "agent.request_sent",
  requestId: "r",
  resource: { url: "https://reports.example/7", method: "GET" },
};
const say = (line: string) => process.stdout.write(`${line}\n`);
say(`${cpus().length} cores, ${cpus()[0]?.model}, Node ${process.version}`);

{
  const count = 200_000;
  const emitter = createEmitter({ source: { agent: "a" }, endpoint, queueMax: 1_000, flushMs: 3_600_000 });
  const from = performance.now();
  for (let index = 0; index < count; index += 1) emitter.emit(event);
  say(`emit: ${(((performance.now() - from) * 1_000) / count).toFixed(1)} us an event`);
  await emitter.close(0);
}

{
  const count = 100_000;
  const emitter = createEmitter({ source: { agent: "a" }, endpoint, queueMax: count });
  const from = performance.now();
  for (let index = 0; index < count; index += 1) emitter.emit(event);
  await emitter.flush(60_000);
  const seconds = (performance.now() - from) / 1_000;
  say(`emit to acknowledged, one call at a time: ${Math.round(emitter.stats().sent / seconds)} events/s`);
  await emitter.close();
}

const account = privateKeyToAccount(`0x${"11".repeat(32)}`);
const kind = { x402Version: 2, scheme: "exact", network: NETWORK } as const;
const yes = {
  verify: () => Promise.resolve({ isValid: true, payer: account.address }),
  settle: () =>
    Promise.resolve({ success: true, transaction: `0x${"ab".repeat(32)}`, network: NETWORK, payer: account.address }),
  getSupported: () => Promise.resolve({ kinds: [kind], extensions: [], signers: {} }),
} as const;

async function payments(agent: Emitter | undefined, api: Emitter | undefined, count: number): Promise<number> {
  const shop = await openShop({
    ...(api === undefined ? {} : { emitter: api }),
    facilitator: yes as never,
    payTo: account.address,
  });
  const { pay } = agentFetch({ account: () => account } as never, 0, agent);
  for (let index = 0; index < 50; index += 1) await (await pay(`${shop.url}/reports/1`)).text();
  // Processor time, so that neighbours on the machine do not count.
  const from = process.cpuUsage();
  for (let index = 0; index < count; index += 1) await (await pay(`${shop.url}/reports/1`)).text();
  const { user, system } = process.cpuUsage(from);
  const ms = (user + system) / 1_000 / count;
  await shop.close();
  return ms;
}

{
  const agent = createEmitter({ source: { agent: "a" }, endpoint });
  const api = createEmitter({ source: { api: "b" }, endpoint });
  const unsent = { ...agent, emit: () => {} };
  const rounds = { bare: [] as number[], unsent: [] as number[], told: [] as number[] };
  for (let round = 0; round < 5; round += 1) {
    rounds.bare.push(await payments(undefined, undefined, 200));
    rounds.unsent.push(await payments(unsent, unsent, 200));
    rounds.told.push(await payments(agent, api, 200));
  }
  const best = (of: number[]) => Math.min(...of).toFixed(2);
  say(
    `processor time of a payment, agent, API and bus in one process, no chain: ${best(rounds.bare)} ms bare, ${best(rounds.unsent)} ms observed, ${best(rounds.told)} ms told (11 events)`,
  );
  await Promise.all([agent.close(), api.close()]);
}
bus.close();
bus.closeAllConnections();
