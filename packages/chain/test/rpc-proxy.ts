/** A JSON-RPC node that misbehaves on demand, in front of one that does not. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

export interface RpcProxy {
  readonly url: string;
  /** Calls it refused for their range. */
  readonly refused: number;
  honest(): void;
  /** Knows its latest block by number only: lacks every block above `last`, and finds no logs there, without an error. */
  lag(last: number): void;
  /** Refuses eth_getLogs over more than `blocks`, in a provider's words. */
  limitRange(blocks: number): void;
  refuseAll(): void;
  /** Answers every call of `method` so, whatever the node would say. */
  claim(method: string, result: unknown): void;
  close(): Promise<void>;
}

interface Call {
  readonly id: number;
  readonly method: string;
  readonly params: readonly [unknown];
}

export async function startRpcProxy(target: string): Promise<RpcProxy> {
  let last = Number.POSITIVE_INFINITY;
  let blocksMax = Number.POSITIVE_INFINITY;
  let down = false;
  let refused = 0;
  const claims = new Map<string, unknown>();

  const answer = async (call: Call) => {
    const [first] = call.params;
    if (claims.has(call.method)) return { jsonrpc: "2.0", id: call.id, result: claims.get(call.method) };
    if (call.method === "eth_getBlockByNumber" && typeof first === "string" && Number(first) > last)
      return { jsonrpc: "2.0", id: call.id, result: null };
    if (call.method === "eth_getLogs") {
      const { fromBlock, toBlock } = first as { fromBlock?: string; toBlock?: string };
      if (Number(toBlock) > last) return { jsonrpc: "2.0", id: call.id, result: [] };
      if (Number(toBlock) - Number(fromBlock) + 1 > blocksMax) {
        refused += 1;
        const error = { code: -32602, message: `eth_getLogs is limited to a ${blocksMax} block range` };
        return { jsonrpc: "2.0", id: call.id, error };
      }
    }
    const response = await fetch(target, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ jsonrpc: "2.0", ...call }),
    });
    return response.json();
  };

  const server = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    if (down) return response.writeHead(502).end("bad gateway");
    const body = JSON.parse(Buffer.concat(parts).toString()) as Call | Call[];
    const result = Array.isArray(body) ? await Promise.all(body.map(answer)) : await answer(body);
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(result));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");

  const honest = () => {
    last = Number.POSITIVE_INFINITY;
    blocksMax = Number.POSITIVE_INFINITY;
    down = false;
    refused = 0;
    claims.clear();
  };
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get refused() {
      return refused;
    },
    honest,
    lag(block) {
      last = block;
    },
    limitRange(blocks) {
      blocksMax = blocks;
    },
    claim(method, result) {
      claims.set(method, result);
    },
    refuseAll() {
      down = true;
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
