/**
 * What the enforcement bench measures, in a process of its own: `machine DATA PLANE_URL CONFIG_FILE`, or `bare PLANE_URL`, a server
 * that deletes whatever session an event names, at once, by AWS's client: no disk, no books, no judgement.
 */
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createSessions } from "@bursar/agentcore/sessions";
import type { SessionRef } from "@bursar/sdk";

const [kind, ...rest] = process.argv.slice(2);

if (kind === "bare") {
  const [endpoint = ""] = rest;
  const sessions = createSessions({ endpoint, credentials: { accessKeyId: "local", secretAccessKey: "local" } });
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { Entries } = JSON.parse(Buffer.concat(chunks).toString("utf8")) as { Entries: { Detail: string }[] };
    response.setHeader("content-type", "application/x-amz-json-1.1");
    response.end(JSON.stringify({ FailedEntryCount: 0, Entries: Entries.map((_, n) => ({ EventId: String(n) })) }));
    for (const { Detail } of Entries) {
      const { events } = JSON.parse(Detail) as { events: { id: string; session?: SessionRef }[] };
      for (const { id, session } of events)
        if (id === "breach" && session !== undefined) await sessions.delete(session, session.userId ?? null);
    }
  }).listen(0, "127.0.0.1", () => process.stdout.write(`http://127.0.0.1:${(server.address() as AddressInfo).port}\n`));
} else {
  const { parseConfig } = await import("@bursar/events/config-schema");
  const { startMachine } = await import("../src/machine.ts");
  const [data = "", agentCoreUrl = "", file = ""] = rest;
  const config = parseConfig(JSON.parse(readFileSync(file, "utf8")));
  const machine = await startMachine({ data, config, port: 0, agentCoreUrl });
  process.stdout.write(`${machine.url}\n`);
}
