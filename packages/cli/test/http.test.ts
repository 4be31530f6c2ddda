/** The door: who may call, what may be asked, and how it is said that it may not. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { beforeAll, describe, expect, test } from "vitest";
import type { Machine } from "../src/machine.ts";
import { settledOf, toldOf } from "./chain-facts.ts";
import { machineForTest } from "./machines.ts";
import { agentEvents, apiEvents, clientOf, entryOf, hashOf, idOf, keyOf, put } from "./producers.ts";
import { type RawRequest, raw } from "./raw.ts";

let machine: Machine;
beforeAll(async () => {
  machine = await machineForTest();
  const entries = [1, 2].flatMap((n) => [
    entryOf("bursar.agent.research", agentEvents(n)),
    entryOf("bursar.api.reports", apiEvents(n)),
  ]);
  await put(clientOf(machine.url), entries);
  await machine.drained();
});

const get = (path: string, headers: Record<string, string> = {}) => raw(machine.port, { path, headers });

describe("who may call", () => {
  test.each(["127.0.0.1", "localhost", "LOCALHOST", "[::1]"])("Host %s with the port is local", async (name) => {
    expect((await get("/api/health", { host: `${name}:${machine.port}` })).status).toBe(200);
  });

  test.each([
    ["a foreign name", "evil.example"],
    ["a foreign name with our port", "evil.example:PORT"],
    ["another port", "127.0.0.1:1"],
    ["no port", "127.0.0.1"],
    ["a name that begins like ours", "localhost.evil.example:PORT"],
    ["a user before it", "x@127.0.0.1:PORT"],
    ["nothing", ""],
  ])("Host is refused: %s", async (_name, host) => {
    for (const request of EACH_KIND) {
      const headers = { ...request.headers, host: host.replace("PORT", String(machine.port)) };
      const answer = await raw(machine.port, { ...request, headers });
      expect(answer.status).toBe(403);
      expect(answer.json.error.code).toBe("host");
    }
  });

  test.each([
    "http://evil.example",
    "https://127.0.0.1:PORT",
    "http://127.0.0.1:1",
    "null",
    "http://localhost.evil.example:PORT",
  ])("Origin %s is refused", async (origin) => {
    for (const request of EACH_KIND) {
      const headers = { ...request.headers, origin: origin.replace("PORT", String(machine.port)) };
      const answer = await raw(machine.port, { ...request, headers });
      expect(answer.status).toBe(403);
      expect(answer.json.error.code).toBe("origin");
      expect(answer.headers["access-control-allow-origin"]).toBeUndefined();
    }
  });

  test.each([
    ["cross-site", 403],
    ["same-site", 403],
    ["same-origin", 200],
    ["none", 200],
  ])("Sec-Fetch-Site %s is %i", async (site, status) => {
    expect((await get("/api/health", { "sec-fetch-site": site })).status).toBe(status);
  });

  test("our own origin is taken, and no header opens us to others", async () => {
    const answer = await get("/api/health", { origin: `http://127.0.0.1:${machine.port}` });
    expect(answer.status).toBe(200);
    expect(Object.keys(answer.headers).filter((name) => name.startsWith("access-control"))).toEqual([]);
    expect(answer.headers).toMatchObject({ "x-content-type-options": "nosniff", "x-frame-options": "DENY" });
  });

  test.each([
    undefined,
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/jsonp",
  ])("POST with content-type %s and no x-amz-target is 415", async (type) => {
    const headers: Record<string, string> = type === undefined ? {} : { "content-type": type };
    for (const path of ["/aws/events", "/api/alerts/x/ack"]) {
      const answer = await raw(machine.port, { path, method: "POST", headers, body: "{}" });
      expect(answer.status).toBe(415);
      expect(answer.json.error.message).toContain("application/json");
    }
  });

  test.each(["PUT", "DELETE", "PATCH", "OPTIONS"])("%s is 405", async (method) => {
    expect((await raw(machine.port, { path: "/api/payments", method })).status).toBe(405);
  });

  test("an id longer than any is not found, and no fault of ours", async () => {
    expect((await get(`/api/payments/${"a".repeat(9_000)}`)).status).toBe(404);
  });

  test("a request that is none gets 400, and the machine stays up", async () => {
    const { connect } = await import("node:net");
    const text = await new Promise<string>((resolve) => {
      const socket = connect(machine.port, "127.0.0.1", () => socket.write("NOT HTTP\r\n\r\n"));
      let said = "";
      socket.on("data", (chunk) => {
        said += chunk;
      });
      socket.on("close", () => resolve(said));
    });
    expect(text).toMatch(/^HTTP\/1.1 400 /);
    expect((await get("/api/health")).status).toBe(200);
  });
});

const EACH_KIND: readonly RawRequest[] = [
  { path: "/api/health" },
  { path: "/api/stream" },
  {
    path: "/aws/events",
    method: "POST",
    headers: { "content-type": "application/json", "x-amz-target": "AWSEvents.PutEvents" },
    body: "{}",
  },
];

describe("another address than this computer's own", () => {
  test("needs a token of some length", async () => {
    await expect(machineForTest({ host: "0.0.0.0" })).rejects.toMatchObject({ name: "MachineError", fault: "address" });
    await expect(machineForTest({ host: "0.0.0.0", token: "short" })).rejects.toMatchObject({ fault: "address" });
  });

  test("then every request needs it", async () => {
    const token = "a-token-of-some-length";
    const open = await machineForTest({ token });
    const health = (headers: Record<string, string>) => raw(open.port, { path: "/api/health", headers });
    expect((await health({})).status).toBe(401);
    expect((await health({ authorization: "Bearer wrong" })).status).toBe(401);
    expect((await health({ authorization: `Bearer ${token}` })).status).toBe(200);
    expect((await health({ authorization: `Bearer ${token}`, origin: "http://evil.example" })).status).toBe(403);
  });
});

describe("what may be asked", () => {
  test("payments, by filter and by page", async () => {
    const all = (await get("/api/payments")).json as unknown as {
      payments: { id: string }[];
      nextCursor: string | null;
    };
    expect(all.payments.map(({ id }) => id)).toEqual([idOf(1), idOf(2)]);
    expect(all.nextCursor).toBeNull();
    const first = (await get("/api/payments?limit=1")).json as unknown as typeof all;
    expect(first.payments.map(({ id }) => id)).toEqual([idOf(1)]);
    const second = (await get(`/api/payments?limit=1&cursor=${first.nextCursor}`)).json as unknown as typeof all;
    expect(second.payments.map(({ id }) => id)).toEqual([idOf(2)]);
    expect(second.nextCursor).toBeNull();
    for (const [query, count] of [
      [`tx=${hashOf(2)}`, 1],
      ["agent=writer", 0],
      ["agent=research", 2],
      ["state=final", 0],
    ] as const) {
      expect(((await get(`/api/payments?${query}`)).json as unknown as typeof all).payments).toHaveLength(count);
    }
  });

  test("one payment by id, by the beginning of its nonce or hash, in any case", async () => {
    for (const id of [
      idOf(2),
      encodeURIComponent(idOf(2)),
      keyOf(2).nonce,
      hashOf(2),
      hashOf(2).toUpperCase().replace("X", "x"),
    ]) {
      const answer = await get(`/api/payments/${id}`);
      expect(answer.status, id).toBe(200);
      expect(answer.json.id).toBe(idOf(2));
    }
  });

  test("an id that fits several is 409 and names them; one that fits none is 404", async () => {
    const several = await get("/api/payments/eip3009:42161:");
    expect(several.status).toBe(409);
    expect(several.json.error).toMatchObject({ code: "ambiguous", candidates: [idOf(1), idOf(2)] });
    const none = await get("/api/payments/0xdead");
    expect(none.status).toBe(404);
    expect(none.json.error.message).toContain('"0xdead"');
  });

  test.each([
    ["state=nope", "signed"],
    ["verdict=maybe", "matched"],
    ["limit=0", "1000"],
    ["limit=1001", "1000"],
    ["limit=ten", "1000"],
    ["tx=12", "0x"],
    ["agent=%20", "letters"],
    ["cursor=", "nextCursor"],
    ["colour=red", "state, verdict"],
    ["limit=1&limit=2", "once"],
  ])("/api/payments?%s is 400 and names the parameter", async (query, said) => {
    const answer = await get(`/api/payments?${query}`);
    expect(answer.status).toBe(400);
    expect(answer.json.error.code).toBe("query");
    expect(answer.json.error.message).toContain(query.split("=")[0]);
    expect(answer.json.error.message).toContain(said);
  });

  test("the other lists, health, and what is not there", async () => {
    for (const list of ["budgets", "alerts", "actions", "wallets", "sessions"]) {
      const answer = await get(`/api/${list}`);
      expect(answer.status).toBe(200);
      expect(answer.json).toHaveProperty(list);
    }
    expect((await get("/api/wallets")).json.wallets).toMatchObject([
      { agentIds: ["research"], balance: null, status: "unknown" },
    ]);
    expect((await get("/api/health")).json).toMatchObject({
      status: "degraded",
      edition: "one-machine",
      chain: { id: 42161, latest: null },
    });
    expect((await get("/api/alerts?status=asleep")).json.error.message).toContain("acknowledged");
    const headers = { "content-type": "application/json" };
    expect((await raw(machine.port, { path: "/api/alerts/x/ack", method: "POST", headers, body: "{}" })).status).toBe(
      404,
    );
    for (const path of ["/", "/api", "/api/nope", "/aws/other", "/api/payments/"]) {
      const answer = await get(path);
      expect(answer.status, path).toBe(404);
      expect(answer.json.error.code).toBe("not_found");
    }
  });
});

describe("GET /api/stream", () => {
  test("sends each payment as it moves", async () => {
    const response = await fetch(`${machine.url}/api/stream`);
    expect(response.headers.get("content-type")).toBe("text/event-stream");
    const frames = framesOf(response);
    await put(clientOf(machine.url), [
      entryOf("bursar.agent.research", agentEvents(77)),
      entryOf("bursar.api.reports", apiEvents(77)),
    ]);
    await machine.drained();
    await machine.tell([toldOf(settledOf(keyOf(77)))]);
    const states: string[] = [];
    for await (const { kind, data } of frames) {
      if (kind === "payment" && data.id === idOf(77)) states.push(`${data.state} ${data.verdict}`);
      if (states.at(-1) === "settled matched") break;
    }
    expect(states.length).toBeGreaterThan(1);
    const heads = {
      type: "chain.heads",
      id: "h",
      at: "2026-11-20T10:00:03.000Z",
      chainId: 42161,
      latest: 2000,
      safe: 1999,
      final: 1998,
    };
    const again = framesOf(await fetch(`${machine.url}/api/stream`));
    await machine.tell([toldOf(heads)]);
    for await (const { kind, data } of again) {
      if (kind === "payment" && data.id === idOf(77)) {
        expect(data.state).toBe("final");
        break;
      }
    }
    expect((await get(`/api/payments/${idOf(77)}`)).json.state).toBe("final");
  });
});

test("a taken port is said with what to do", async () => {
  const other = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => other.once("listening", resolve));
  const { port } = other.address() as AddressInfo;
  await expect(machineForTest({ port })).rejects.toMatchObject({
    fault: "port_taken",
    message: expect.stringContaining("--port"),
  });
  other.close();
});

async function* framesOf(
  response: Response,
): AsyncGenerator<{ kind: string; data: { id: string; state: string; verdict: string } }> {
  let text = "";
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
    text += Buffer.from(chunk).toString("utf8");
    const frames = text.split("\n\n");
    text = frames.pop() ?? "";
    for (const frame of frames) if (frame.startsWith("data: ")) yield JSON.parse(frame.slice(6));
  }
}
