/** An EventBridge on 127.0.0.1 that speaks PutEvents (AWS JSON 1.1) over real HTTP, and breaks in every way asked for. */
import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { parseEntryText, type Told } from "@bursar/events/envelope";

export interface PutEntry {
  readonly Source: string;
  readonly DetailType: string;
  readonly Detail: string;
  readonly EventBusName?: string;
}

/** What the bus does with a call. `entries` names the error code of each entry, or null where it takes it. */
export type Behaviour =
  | { readonly do: "take" }
  | { readonly do: "hang" }
  | { readonly do: "reset" }
  | { readonly do: "status"; readonly status: number; readonly body: string; readonly type?: string }
  | { readonly do: "entries"; readonly error: (entry: PutEntry, index: number) => string | null };

export interface Bus {
  readonly endpoint: string;
  /** Every call's entries, taken or not. */
  readonly calls: PutEntry[][];
  /** Entries that were taken, as often as they were. */
  readonly taken: PutEntry[];
  behave(behaviour: Behaviour | ((call: number) => Behaviour)): void;
  /** Events of all taken entries, as the receiver's parser has them. Throws where it quarantines one. */
  told(): Told[];
  /** Resolves once `condition` holds; looked at after every call. */
  until(condition: () => boolean, timeoutMs?: number): Promise<void>;
  close(): Promise<void>;
}

export async function startBus(port = 0): Promise<Bus> {
  const calls: PutEntry[][] = [];
  const taken: PutEntry[] = [];
  const watchers = new Set<() => void>();
  let behave: (call: number) => Behaviour = () => ({ do: "take" });

  const server = createServer((request, response) => {
    void read(request).then((body) => {
      try {
        answer(request, response, body);
      } finally {
        for (const watch of [...watchers]) watch();
      }
    });
  });

  function answer(request: IncomingMessage, response: ServerResponse, body: string): void {
    if (request.headers["x-amz-target"] !== "AWSEvents.PutEvents") return void response.writeHead(400).end();
    if (!request.complete) return; // its process ended while it sent
    const entries = (JSON.parse(body) as { Entries: PutEntry[] }).Entries;
    calls.push(entries);
    const behaviour = behave(calls.length - 1);
    if (behaviour.do === "hang") return;
    if (behaviour.do === "reset") return void request.socket.destroy();
    if (behaviour.do === "status") {
      response.writeHead(behaviour.status, { "content-type": behaviour.type ?? "application/x-amz-json-1.1" });
      return void response.end(behaviour.body);
    }
    const results = entries.map((entry, index) => {
      const error = behaviour.do === "entries" ? behaviour.error(entry, index) : null;
      if (error !== null) return { ErrorCode: error, ErrorMessage: "as the test wants it" };
      taken.push(entry);
      return { EventId: randomUUID() };
    });
    const FailedEntryCount = results.filter((result) => "ErrorCode" in result).length;
    response.writeHead(200, { "content-type": "application/x-amz-json-1.1" });
    response.end(JSON.stringify({ FailedEntryCount, Entries: results }));
  }

  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    taken,
    behave(behaviour) {
      behave = typeof behaviour === "function" ? behaviour : () => behaviour;
    },
    told: () =>
      taken.flatMap(({ Source, DetailType, Detail }) => {
        const entry = `{"id":"x","source":${JSON.stringify(Source)},"detail-type":${JSON.stringify(DetailType)},"detail":${Detail}}`;
        const { told, quarantined } = parseEntryText(entry, "bus");
        if (quarantined.length > 0) throw new Error(`quarantined: ${JSON.stringify(quarantined)}`);
        return told;
      }),
    until(condition, timeoutMs = 10_000) {
      return new Promise((resolve, reject) => {
        const settle = (act: () => void) => {
          clearTimeout(timer);
          clearInterval(poll);
          watchers.delete(look);
          act();
        };
        const look = () => void (condition() && settle(resolve));
        const timer = setTimeout(
          () => settle(() => reject(new Error("the condition did not come true in time"))),
          timeoutMs,
        );
        const poll = setInterval(look, 10);
        watchers.add(look);
        look();
      });
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function read(request: IncomingMessage): Promise<string> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => resolve(Buffer.concat(chunks).toString("utf8")));
    request.on("error", () => resolve(""));
  });
}
