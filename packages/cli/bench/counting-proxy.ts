/** A JSON-RPC proxy in front of one node that changes nothing and counts what its one caller asks for. */
import { once } from "node:events";
import { Agent, createServer, type IncomingMessage, request as send } from "node:http";
import type { AddressInfo } from "node:net";

/** Bytes are those of bodies, without headers and uncompressed. */
export interface Counts {
  readonly requests: number;
  readonly calls: number;
  readonly bytesUp: number;
  readonly bytesDown: number;
  /** Calls by method. */
  readonly methods: Readonly<Record<string, number>>;
}

export interface CountingProxy {
  readonly url: string;
  /** What has gone through so far. */
  counts(): Counts;
  close(): Promise<void>;
}

/** `target` is the node's http URL. */
export async function startCountingProxy(target: string): Promise<CountingProxy> {
  const agent = new Agent({ keepAlive: true });
  const methods: Record<string, number> = {};
  let requests = 0;
  let bytesUp = 0;
  let bytesDown = 0;

  async function forward(body: Buffer): Promise<Buffer> {
    const headers = { "content-type": "application/json", "content-length": body.length };
    const asked = send(target, { method: "POST", agent, headers }).end(body);
    const [answer] = (await once(asked, "response")) as [IncomingMessage];
    return bodyOf(answer);
  }

  const server = createServer(async (request, response) => {
    try {
      const body = await bodyOf(request);
      requests += 1;
      bytesUp += body.length;
      const said = JSON.parse(body.toString("utf8")) as { method: string } | { method: string }[];
      for (const { method } of Array.isArray(said) ? said : [said]) methods[method] = (methods[method] ?? 0) + 1;
      const answer = await forward(body);
      bytesDown += answer.length;
      response.writeHead(200, { "content-type": "application/json", "content-length": answer.length }).end(answer);
    } catch {
      response.writeHead(502).end();
    }
  }).listen(0, "127.0.0.1");
  await once(server, "listening");

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    counts: () => ({ requests, calls: sumOf(methods), bytesUp, bytesDown, methods: { ...methods } }),
    async close() {
      agent.destroy();
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

/** What went through between two looks. */
export function between(before: Counts, after: Counts): Counts {
  const methods: Record<string, number> = {};
  for (const [method, calls] of Object.entries(after.methods)) {
    const more = calls - (before.methods[method] ?? 0);
    if (more > 0) methods[method] = more;
  }
  return {
    requests: after.requests - before.requests,
    calls: after.calls - before.calls,
    bytesUp: after.bytesUp - before.bytesUp,
    bytesDown: after.bytesDown - before.bytesDown,
    methods,
  };
}

const sumOf = (methods: Readonly<Record<string, number>>): number =>
  Object.values(methods).reduce((sum, calls) => sum + calls, 0);

async function bodyOf(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
