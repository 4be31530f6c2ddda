/** `GET /api/stream`: what happens, as server-sent events of `{ kind, data }`, for whoever keeps up. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { StreamFrame } from "@bursar/events/shapes";

/** Clients at once. */
const CLIENTS_MAX = 64;
/** Bytes that may wait for one client; beyond that it is too slow and is let go. It may connect again. */
const WAITING_BYTES_MAX = 1024 * 1024;
const HEARTBEAT_MS = 15_000;

export interface Streams {
  /** Serves a client until it leaves; false when there are too many. */
  open(request: IncomingMessage, response: ServerResponse, headers: Readonly<Record<string, string>>): boolean;
  send(frame: StreamFrame): void;
  close(): void;
}

export function createStreams(): Streams {
  const clients = new Set<ServerResponse>();
  const write = (client: ServerResponse, text: string): void => {
    if (client.writableLength > WAITING_BYTES_MAX) {
      clients.delete(client);
      client.destroy();
    } else client.write(text);
  };
  const heartbeat = setInterval(() => {
    for (const client of clients) write(client, ": still here\n\n");
  }, HEARTBEAT_MS);
  heartbeat.unref();
  return {
    open(request, response, headers) {
      if (clients.size >= CLIENTS_MAX) return false;
      response.writeHead(200, { ...headers, "content-type": "text/event-stream", "cache-control": "no-store" });
      response.write("retry: 2000\n\n");
      response.on("error", () => {}); // a client that is gone
      request.on("error", () => {});
      response.once("close", () => clients.delete(response));
      clients.add(response);
      return true;
    },
    send(frame) {
      if (clients.size === 0) return;
      const text = `data: ${JSON.stringify(frame)}\n\n`;
      for (const client of clients) write(client, text);
    },
    close() {
      clearInterval(heartbeat);
      for (const client of clients) client.end();
      clients.clear();
    },
  };
}
