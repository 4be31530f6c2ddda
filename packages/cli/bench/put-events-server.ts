/** What is measured, in a process of its own: the machine, or a bare server that parses the call and answers it. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

const [kind, data = ""] = process.argv.slice(2);
let cpu = process.cpuUsage();

function report(extra: object): void {
  const { user, system } = process.cpuUsage(cpu);
  cpu = process.cpuUsage();
  const megabytes = Math.round(process.memoryUsage().rss / 2 ** 20);
  process.stdout.write(`${JSON.stringify({ cpuMs: (user + system) / 1000, megabytes, ...extra })}\n`);
}

if (kind === "bare") {
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { Entries } = JSON.parse(Buffer.concat(chunks).toString("utf8")) as { Entries: { Detail: string }[] };
    const answered = Entries.map(({ Detail }) => ({
      EventId: String((JSON.parse(Detail) as { events: unknown[] }).events.length),
    }));
    response.setHeader("content-type", "application/x-amz-json-1.1");
    response.end(JSON.stringify({ FailedEntryCount: 0, Entries: answered }));
  }).listen(0, "127.0.0.1", () => process.stdout.write(`http://127.0.0.1:${(server.address() as AddressInfo).port}\n`));
  process.stdin.on("data", () => report({}));
} else {
  const { parseConfig } = await import("@bursar/events/config-schema");
  const { startMachine } = await import("../src/machine.ts");
  const wallets = (n: number) => [`0x${n.toString(16).padStart(40, "1")}`];
  const config = parseConfig({
    org: "acme",
    agents: Object.fromEntries(Array.from({ length: 8 }, (_, n) => [`agent-${n}`, { wallets: wallets(n) }])),
    apis: { reports: { payTo: ["0x2222222222222222222222222222222222222222"] } },
    budgets: [{ id: "day", scope: { agent: "*" }, window: "day", limitUsd: "5.00" }],
  });
  const machine = await startMachine({ data, config, port: 0 });
  process.stdout.write(`${machine.url}\n`);
  process.stdin.on("data", async () => {
    await machine.drained();
    const { quarantined } = await machine.health();
    report({ payments: machine.totals().payments, quarantined });
  });
}
