/**
 * From the PutEvents call of the event that breaches a budget to the answer that AgentCore gives to
 * DeletePaymentSession: `node packages/cli/bench/run.mjs only-enforce.ts`, or `npm run bench`.
 *
 * The machine is a process of its own. Producers (AWS's EventBridgeClient), the agents' own AgentCore client and the data
 * plane, which speaks AWS's protocol, are this one. Each sample is an agent and a session that nobody has heard of yet.
 * Beside it, in the same run, a bare server that answers PutEvents and deletes the session at once by the same client:
 * what HTTP and two clients alone take here.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { CreatePaymentSessionCommand } from "@aws-sdk/client-bedrock-agentcore";
import { EventBridgeClient, PutEventsCommand, type PutEventsRequestEntry } from "@aws-sdk/client-eventbridge";
import { createDataPlane } from "@bursar/demo/agentcore/data-plane";
import { localPaymentsClient } from "@bursar/demo/agentcore/payer";
import { openSite } from "@bursar/demo/site";
import type { SessionRef } from "@bursar/sdk";
import { startChild } from "./child.ts";
import {
  agentOf,
  breachingEntry,
  config,
  EVENTS_PER_PAYMENT,
  HONEST,
  honestEntries,
  MANAGER,
} from "./enforce-world.ts";
import { diskLatencies, printHead, printRow } from "./latencies.ts";

const SAMPLES = 200;
/** Node compiles what runs often; AWS's clients load parts of themselves at their first call. */
const WARM_UP = 30;
const EVENTS_PER_SECOND = 500;
/** Samples come at no fixed pace: none may fall in step with a timer of the machine. */
const GAP_MS = { least: 15, more: 30 } as const;
const PATIENCE_MS = 10_000;

export async function benchEnforce(samples = SAMPLES): Promise<void> {
  const cores = `${cpus().length} cores (${cpus()[0]?.model.trim()})`;
  console.log(
    `breach to stop, ${cores}, ${samples} samples each; machine in one process, clients and AgentCore in another`,
  );
  printHead();
  const directory = mkdtempSync(join(tmpdir(), "bursar-bench-"));
  try {
    printRow("one write and fdatasync (limit)", diskLatencies(directory));
    const configFile = join(directory, "config.json");
    writeFileSync(configFile, JSON.stringify(config));
    await measure("bare", samples, (planeUrl) => ["bare", planeUrl]);
    await measure("machine", samples, (planeUrl) => ["machine", join(directory, "data"), planeUrl, configFile]);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Times of one sample in milliseconds after its PutEvents call. */
interface Sample {
  readonly acknowledged: number;
  readonly called: number;
  readonly answered: number;
}

async function measure(kind: "bare" | "machine", samples: number, args: (planeUrl: string) => string[]): Promise<void> {
  const plane = await openTimedPlane();
  const payments = localPaymentsClient(plane.url);
  const server = startChild("enforce-server.ts", args(plane.url));
  try {
    const url = await server.line();
    const events = new EventBridgeClient({
      endpoint: `${url}/aws/events`,
      region: "us-east-1",
      credentials: { accessKeyId: "local", secretAccessKey: "local" },
    });
    let agent = HONEST;

    async function openSession(userId: string): Promise<SessionRef> {
      const { paymentSession } = await payments.send(
        new CreatePaymentSessionCommand({ paymentManagerArn: MANAGER, userId, expiryTimeInMinutes: 60 }),
      );
      return { managerArn: MANAGER, sessionId: paymentSession?.paymentSessionId ?? "", userId };
    }

    async function sample(): Promise<Sample> {
      const session = await openSession(agentOf(agent));
      const Entries = [breachingEntry(agent, session) as PutEventsRequestEntry];
      agent += 1;
      await sleep(GAP_MS.least + Math.random() * GAP_MS.more);
      const begin = performance.now();
      const deleted = plane.deleted(session.sessionId);
      const { FailedEntryCount } = await events.send(new PutEventsCommand({ Entries }));
      const acknowledged = performance.now() - begin;
      if (FailedEntryCount !== 0) throw new Error("the breaching event was refused");
      const { called, answered } = await deleted;
      return { acknowledged, called: called - begin, answered: answered - begin };
    }

    async function take(count: number): Promise<Sample[]> {
      const taken: Sample[] = [];
      while (taken.length < count) taken.push(await sample());
      return taken;
    }

    const title = kind === "bare" ? "bare server, deletes at once" : "bursar, breach to stop";
    await take(WARM_UP);
    report(`${title}, idle`, await take(samples), kind === "machine");

    const honest = await Promise.all(Array.from({ length: HONEST }, (_, n) => openSession(agentOf(n))));
    const load = startLoad(events, honest);
    await sleep(2_000);
    report(`${title}, ${EVENTS_PER_SECOND} events/s`, await take(samples), kind === "machine");
    const { eventsPerSecond, failed } = await load.stop();
    if (failed > 0) throw new Error(`${failed} honest entries were refused`);
    if (Math.abs(eventsPerSecond - EVENTS_PER_SECOND) > EVENTS_PER_SECOND / 20)
      throw new Error(`the load was ${eventsPerSecond.toFixed(0)} events/s and not ${EVENTS_PER_SECOND}`);

    if (kind === "machine") await check(url, agent - HONEST);
    if (plane.open() !== HONEST) throw new Error(`${plane.open()} sessions are open and not the ${HONEST} honest ones`);
    events.destroy();
  } finally {
    server.child.kill("SIGKILL");
    payments.destroy();
    await plane.close();
  }
}

/** Every breach has led to one revocation, and nothing else was done. */
async function check(url: string, breaches: number): Promise<void> {
  const { quarantined } = (await (await fetch(`${url}/api/health`)).json()) as { quarantined: number };
  if (quarantined > 0) throw new Error(`${quarantined} events are quarantined`);
  const answer = (await (await fetch(`${url}/api/actions`)).json()) as { actions: { outcome: string }[] };
  const done = answer.actions.filter(({ outcome }) => outcome === "done").length;
  // The last one may be on its way to the record.
  if (answer.actions.length !== breaches || done < breaches - 1)
    throw new Error(`${done} of ${answer.actions.length} revocations are done after ${breaches} breaches`);
}

/** Where the time went: until PutEvents was answered, until AgentCore was called, until it had answered. */
function report(name: string, samples: readonly Sample[], inParts: boolean): void {
  printRow(
    name,
    samples.map(({ answered }) => answered),
  );
  if (!inParts) return;
  const parts = { "PutEvents answered": "acknowledged", "DeletePaymentSession arrives": "called" } as const;
  for (const [part, key] of Object.entries(parts))
    printRow(
      `  of that, until ${part}`,
      samples.map((one) => one[key]),
    );
}

interface Deletion {
  readonly called: number;
  readonly answered: number;
}

/** A data plane that says when it was called for a session's deletion, and when it had answered. */
async function openTimedPlane() {
  const waiting = new Map<string, (deletion: Deletion) => void>();
  const deleting: { sessionId: string; called: number }[] = [];
  const plane = createDataPlane({
    accounts: [],
    managerArns: [MANAGER],
    fault(operation, { paymentSessionId }) {
      if (operation === "DeletePaymentSession")
        deleting.push({ sessionId: String(paymentSessionId), called: performance.now() });
      return undefined;
    },
  });
  const site = await openSite();
  site.serve((request, response) => {
    response.once("finish", () => {
      for (const { sessionId, called } of deleting.splice(0)) {
        if (plane.sessions().some((session) => session.sessionId === sessionId)) continue;
        waiting.get(sessionId)?.({ called, answered: performance.now() });
        waiting.delete(sessionId);
      }
    });
    plane.listener(request, response);
  });
  return {
    url: site.url,
    open: () => plane.sessions().length,
    deleted(sessionId: string): Promise<Deletion> {
      return new Promise((resolve, reject) => {
        const late = () => reject(new Error(`session ${sessionId} was not deleted within ${PATIENCE_MS} ms`));
        const timer = setTimeout(late, PATIENCE_MS);
        waiting.set(sessionId, (deletion) => {
          clearTimeout(timer);
          resolve(deletion);
        });
      });
    },
    close: () => site.close(),
  };
}

/** Honest payments at a steady pace, whatever is answered: an open loop. */
function startLoad(events: EventBridgeClient, sessions: readonly SessionRef[]) {
  const stopping = new AbortController();
  const underWay = new Set<Promise<void>>();
  let failed = 0;
  let payments = 0;
  const begin = performance.now();

  function send(entries: readonly object[]): void {
    const sent = events.send(new PutEventsCommand({ Entries: entries as PutEventsRequestEntry[] })).then(
      ({ FailedEntryCount = 0 }) => {
        failed += FailedEntryCount;
      },
      () => {
        failed += entries.length;
      },
    );
    underWay.add(sent);
    void sent.finally(() => underWay.delete(sent));
  }

  const pacing = (async () => {
    while (!stopping.signal.aborted) {
      const due = ((performance.now() - begin) / 1000) * (EVENTS_PER_SECOND / EVENTS_PER_PAYMENT);
      for (; payments < due; payments += 1)
        for (const entries of honestEntries(payments, sessions[payments % HONEST] as SessionRef)) send(entries);
      await sleep(2);
    }
  })();

  return {
    async stop() {
      stopping.abort();
      await pacing;
      const seconds = (performance.now() - begin) / 1000;
      await Promise.all(underWay);
      return { eventsPerSecond: (payments * EVENTS_PER_PAYMENT) / seconds, failed };
    },
  };
}
