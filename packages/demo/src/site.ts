/** An address on 127.0.0.1, taken before anything is served there, so that it can be shown and configured first. */
import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";

export interface Site {
  /** Such as `http://127.0.0.1:4021`, without a path. */
  readonly url: string;
  /** From now on `listener` answers; until then everyone is told 503. */
  serve(listener: RequestListener): void;
  /** Cuts what is under way and gives the address back. */
  close(): Promise<void>;
}

/** Takes `port`, or any free one where it is taken or not given. */
export async function openSite(port = 0): Promise<Site> {
  let listener: RequestListener = (_request, response) => void response.writeHead(503).end();
  const server = createServer((request, response) => listener(request, response));
  try {
    await listen(server, port);
  } catch (error) {
    if (port === 0 || (error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw error;
    await listen(server, 0);
  }
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    serve(given) {
      listener = given;
    },
    async close() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function listen(server: Server, port: number): Promise<void> {
  server.listen(port, "127.0.0.1");
  await once(server, "listening"); // rejects with the server's error
}
