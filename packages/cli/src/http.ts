/** The machine's door: every request passes the guard, then goes to PutEvents, to the stream, or to the `/api` routes. */
import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { getRequestListener } from "@hono/node-server";
import type { Hono } from "hono";
import { readBody } from "./body.ts";
import { type GuardOptions, refusalOf } from "./guard.ts";
import { type AwsAnswer, awsError, type Offer, putEvents } from "./put-events.ts";
import type { Streams } from "./stream.ts";

export interface DoorOptions {
  readonly host: string;
  readonly port: number;
  readonly token: string | null;
  readonly api: Hono;
  readonly streams: Streams;
  readonly offer: Offer;
  readonly log: (line: string) => void;
}

export interface Door {
  readonly port: number;
  /** Takes no new requests; resolves when those under way are answered, or cut off. */
  close(): Promise<void>;
}

/** A body of PutEvents: 256 KB of entries, every character of which JSON may have escaped. */
const BODY_BYTES_MAX = 1024 * 1024;
/** Milliseconds that requests under way have when the machine stops. */
const CLOSING_MS = 500;

const SECURITY_HEADERS = {
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "cross-origin-resource-policy": "same-origin",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "cache-control": "no-store",
} as const;

/** @throws {NodeJS.ErrnoException} EADDRINUSE, EACCES, EADDRNOTAVAIL from listening */
export async function openDoor(options: DoorOptions): Promise<Door> {
  const { host, token, api, streams, offer, log } = options;
  const routes = getRequestListener(api.fetch, { overrideGlobalObjects: false });
  let guard: GuardOptions = { host, port: options.port, token };

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const refusal = refusalOf(request, guard);
    if (refusal !== null) {
      request.resume();
      return answer(response, refusal.status, { error: { code: refusal.code, message: refusal.message } });
    }
    const path = request.url?.split("?", 1)[0];
    if (path === "/aws/events" || path === "/aws/events/") return serveAws(request, response);
    if (request.method === "GET" && path === "/api/stream") {
      if (streams.open(request, response, SECURITY_HEADERS)) return;
      return answer(response, 503, { error: { code: "busy", message: "too many streams are open: close one" } });
    }
    for (const [name, value] of Object.entries(SECURITY_HEADERS)) response.setHeader(name, value);
    request.headers.host = request.headers.host?.toLowerCase(); // the listener knows no other spelling
    await routes(request, response);
  }

  async function serveAws(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method !== "POST") {
      request.resume();
      return answerAws(response, awsError(405, "UnknownOperationException", "PutEvents is a POST"));
    }
    const encoding = request.headers["content-encoding"];
    if (encoding !== undefined && encoding.toLowerCase() !== "identity") {
      request.resume();
      return answerAws(
        response,
        awsError(400, "SerializationException", "content-encoding is not taken: send it plain"),
      );
    }
    const body = await readBody(request, BODY_BYTES_MAX);
    if (body === null) {
      response.setHeader("connection", "close");
      const message = `the body is larger than ${BODY_BYTES_MAX} bytes: send fewer or smaller entries`;
      return answerAws(response, awsError(413, "RequestEntityTooLargeException", message));
    }
    const target = request.headers["x-amz-target"];
    return answerAws(response, await putEvents(Array.isArray(target) ? target[0] : target, body, offer, new Date()));
  }

  const server = createServer(
    { requestTimeout: 30_000, headersTimeout: 10_000, maxHeaderSize: 16_384 },
    (request, response) => {
      serve(request, response).catch((error: Error) => {
        if (request.destroyed && !response.writable) return; // the caller left
        log(`${request.method} ${request.url?.slice(0, 80)} failed: ${error.message}`);
        if (response.headersSent) response.destroy();
        else
          answer(response, 500, { error: { code: "internal", message: "the machine could not answer: see its log" } });
      });
    },
  );
  server.on("clientError", (_error, socket) => {
    if (socket.writable) socket.end("HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
  });
  await listen(server, host, options.port);
  const { port } = server.address() as AddressInfo;
  guard = { host, port, token };
  return {
    port,
    close: () => {
      streams.close();
      return close(server);
    },
  };
}

function answer(response: ServerResponse, status: number, body: unknown): void {
  const text = JSON.stringify(body);
  const type = { "content-type": "application/json; charset=UTF-8", "content-length": Buffer.byteLength(text) };
  response.writeHead(status, { ...SECURITY_HEADERS, ...type }).end(text);
}

function answerAws(response: ServerResponse, { status, body }: AwsAnswer): void {
  const text = JSON.stringify(body);
  const type = (body as { __type?: string }).__type;
  response
    .writeHead(status, {
      "content-type": "application/x-amz-json-1.1",
      "content-length": Buffer.byteLength(text),
      "x-amzn-requestid": randomUUID(),
      ...(type === undefined ? {} : { "x-amzn-errortype": type }),
    })
    .end(text);
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const cut = setTimeout(() => server.closeAllConnections(), CLOSING_MS);
    server.close(() => {
      clearTimeout(cut);
      resolve();
    });
    server.closeIdleConnections();
  });
}
