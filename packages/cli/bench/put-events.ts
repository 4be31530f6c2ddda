/**
 * PutEvents over HTTP to durable state: `node packages/cli/bench/run.mjs only-put-events.ts`, or `npm run bench`.
 *
 * The client is AWS's own EventBridgeClient, unmodified, in its own process; ten entries of eight events a call. The
 * clock runs until every event is in the table and synced. Beside it, in the same run, a bare HTTP server that only
 * parses the same calls and answers: what client and HTTP alone allow on these cores.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { type Child, startChild } from "./child.ts";

const EVENTS_PER_CALL = 80;
const IN_FLIGHT = 8;

export interface PutEventsBench {
  readonly name: string;
  readonly events: number;
  readonly seconds: number;
  readonly eventsPerSecond: number;
  /** CPU milliseconds of the server and of the client. */
  readonly serverCpuMs: number;
  readonly clientCpuMs: number;
  readonly megabytes: number;
}

/** Measures the bare server, then the machine; prints a line for each. */
export async function benchPutEvents(calls = 1_000): Promise<readonly PutEventsBench[]> {
  console.log(`PutEvents, ${cpus().length} cores (${cpus()[0]?.model.trim()}), client and server in a process each`);
  const results: PutEventsBench[] = [];
  for (const kind of ["bare", "machine"] as const) {
    const result = await run(kind, calls);
    results.push(result);
    const rate = Math.round(result.eventsPerSecond).toLocaleString("en");
    const cpu = `CPU of server ${perEvent(result.serverCpuMs, result)}, of client ${perEvent(result.clientCpuMs, result)}`;
    console.log(
      `${result.name}: ${rate} events/s (${result.events} events in ${result.seconds.toFixed(1)} s; ${cpu}; ${result.megabytes} MB)`,
    );
  }
  return results;
}

async function run(kind: "bare" | "machine", calls: number): Promise<PutEventsBench> {
  const directory = mkdtempSync(join(tmpdir(), "bursar-bench-"));
  const server = startChild("put-events-server.ts", [kind, join(directory, "data")]);
  try {
    const url = await server.line();
    const load = (count: number, first: number) =>
      startChild("put-events-client.ts", [`${url}/aws/events`, String(count), String(IN_FLIGHT), String(first)]);
    // Warm up: Node compiles what runs often. The client's start is not in the figure either.
    await go(load(100, 10_000_000));
    server.child.stdin?.write("\n");
    const before = JSON.parse(await server.line()) as { payments?: number };
    const client = load(calls, 0);
    const { begin, refused, cpuMs } = await go(client);
    server.child.stdin?.write("\n");
    const after = JSON.parse(await server.line()) as {
      cpuMs: number;
      megabytes: number;
      payments?: number;
      quarantined?: number;
    };
    const seconds = (performance.now() - begin) / 1000;
    const events = calls * EVENTS_PER_CALL;
    if (refused > 0 || (after.quarantined ?? 0) > 0)
      throw new Error(`${refused} entries refused, ${after.quarantined} quarantined`);
    const made = (after.payments ?? 0) - (before.payments ?? 0);
    if (kind === "machine" && made !== events / 16)
      throw new Error(`${made} payments of ${events / 16} are in the table`);
    const name = kind === "bare" ? "bare HTTP server, parses and answers" : "bursar, to durable state";
    return {
      name,
      events,
      seconds,
      eventsPerSecond: events / seconds,
      serverCpuMs: after.cpuMs,
      clientCpuMs: cpuMs,
      megabytes: after.megabytes,
    };
  } finally {
    server.child.kill("SIGKILL");
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Waits until the client has started, then lets it send. */
async function go(client: Child): Promise<{ begin: number; refused: number; cpuMs: number }> {
  await client.line();
  const begin = performance.now();
  client.child.stdin?.write("go\n");
  return { begin, ...(JSON.parse(await client.line()) as { refused: number; cpuMs: number }) };
}

function perEvent(cpuMs: number, { events }: PutEventsBench): string {
  return `${((cpuMs * 1000) / events).toFixed(1)} us an event`;
}
