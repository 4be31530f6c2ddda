/** Who confirms the payments of the watch bench: each in a process of its own, behind a proxy of its own that counts. */
import { EventBridgeClient, PutEventsCommand, type PutEventsRequestEntry } from "@aws-sdk/client-eventbridge";
import { chunks } from "@bursar/chain/scan";
import { type Child, startChild } from "./child.ts";
import { type CountingProxy, startCountingProxy } from "./counting-proxy.ts";
import { doneEntries, type Signed, sentEntries } from "./watch-world.ts";

/** Entries of PutEvents wait so long for others. */
const REPORT_MS = 100;
const ENTRIES_PER_CALL = 10;

export interface Reader {
  readonly name: string;
  readonly proxy: CountingProxy;
  /** When each payment was known to be settled, in milliseconds, by what the reader calls it. */
  readonly confirmed: ReadonlyMap<string, number>;
  readonly intervalMs: number;
  readonly isMachine: boolean;
  nameOf(payment: Signed): string;
  /** Tells it of a payment: that it is sent, and that its content was returned. */
  sent(payment: Signed): void;
  done(payment: Signed): void;
  close(): Promise<void>;
}

/** The machine, which watches the chain and hears what agents and API say. */
export async function startMachineReader(rpcUrl: string, data: string, configFile: string, intervalMs: number) {
  const proxy = await startCountingProxy(rpcUrl);
  const child = startChild("watch-reader.ts", ["machine", data, configFile, proxy.url, String(intervalMs)]);
  const url = await child.line();
  const reporter = createReporter(`${url}/aws/events`);
  const reader: Reader = {
    name: `Bursar, every ${intervalMs.toLocaleString("en")} ms`,
    ...{ proxy, intervalMs, confirmed: heard(child), isMachine: true },
    nameOf: ({ id }) => id,
    sent: (payment) => reporter.say(sentEntries(payment)),
    done: (payment) => reporter.say(doneEntries(payment)),
    async close() {
      child.child.kill("SIGKILL");
      reporter.close();
      await proxy.close();
    },
  };
  return reader;
}

/** Producers: what all of them say within a moment goes in calls of ten entries. */
function createReporter(endpoint: string) {
  const credentials = { accessKeyId: "local", secretAccessKey: "local" };
  const events = new EventBridgeClient({ endpoint, region: "us-east-1", credentials });
  let waiting: object[] = [];

  function flush(): void {
    for (const Entries of chunks(waiting as PutEventsRequestEntry[], ENTRIES_PER_CALL))
      events.send(new PutEventsCommand({ Entries })).then(
        ({ FailedEntryCount = 0 }) => FailedEntryCount > 0 && console.error(`${FailedEntryCount} entries were refused`),
        (error: Error) => console.error(`PutEvents: ${error.message}`),
      );
    waiting = [];
  }

  return {
    say(entries: readonly object[]): void {
      if (waiting.length === 0) setTimeout(flush, REPORT_MS);
      waiting.push(...entries);
    },
    close: () => events.destroy(),
  };
}

/** viem's waitForTransactionReceipt for every payment; without an interval, at its own for Arbitrum. */
export async function startViemReader(rpcUrl: string, intervalMs: number | undefined) {
  const proxy = await startCountingProxy(rpcUrl);
  const interval = intervalMs === undefined ? [] : [String(intervalMs)];
  const child = startChild("watch-reader.ts", ["viem", proxy.url, ...interval]);
  const polled = Number(await child.line());
  const reader: Reader = {
    name: `viem, every ${polled.toLocaleString("en")} ms${intervalMs === undefined ? " (its default)" : ""}`,
    ...{ proxy, intervalMs: polled, confirmed: heard(child), isMachine: false },
    nameOf: ({ txHash }) => txHash,
    sent: ({ txHash }) => void child.child.stdin?.write(`${txHash}\n`),
    done() {},
    async close() {
      child.child.kill("SIGKILL");
      await proxy.close();
    },
  };
  return reader;
}

/** Takes down what a reader prints, until it ends. */
function heard(child: Child): ReadonlyMap<string, number> {
  const confirmed = new Map<string, number>();
  const listen = async (): Promise<void> => {
    for (;;) {
      const [name = "", at] = (await child.line()).split(" ");
      if (!confirmed.has(name)) confirmed.set(name, Number(at));
    }
  };
  listen().catch(() => {}); // it was told to end, or the payments it leaves open are missed
  return confirmed;
}
