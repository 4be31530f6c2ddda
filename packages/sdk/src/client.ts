/** The EventBridge client of those who bring none: short of patience, and never the reason that a process stays up. */
import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import type { Socket } from "node:net";
import { EventBridgeClient } from "@aws-sdk/client-eventbridge";

export interface ClientSettings {
  readonly endpoint?: string | undefined;
  readonly region?: string | undefined;
}

const SOCKETS_MAX = 2;

/** A client with one attempt a call (the emitter repeats with the same ids) and sockets that hold no process. */
export function defaultClient({ endpoint, region }: ClientSettings): EventBridgeClient {
  const local = endpoint !== undefined && isLoopback(endpoint);
  return new EventBridgeClient({
    maxAttempts: 1,
    requestHandler: {
      // The handler looks for a lack of sockets after this time, by a timer that would hold the process until then.
      socketAcquisitionWarningTimeout: 0,
      httpAgent: unheld(new HttpAgent({ keepAlive: true, maxSockets: SOCKETS_MAX })),
      httpsAgent: unheld(new HttpsAgent({ keepAlive: true, maxSockets: SOCKETS_MAX })),
    },
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(region === undefined ? (local ? { region: "us-east-1" } : {}) : { region }),
    // The one-machine edition checks no signature, so nobody should need an AWS account to reach it.
    ...(local ? { credentials: { accessKeyId: "local", secretAccessKey: "local" } } : {}),
  });
}

function isLoopback(endpoint: string): boolean {
  if (!URL.canParse(endpoint)) return false;
  const { hostname } = new URL(endpoint);
  return hostname === "localhost" || hostname === "[::1]" || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}

/** The agent, with every socket unreferenced: whoever waits (`flush`, `close`) holds the process by a timer instead. */
function unheld<A extends HttpAgent>(agent: A): A {
  const internals = agent as unknown as AgentInternals;
  // Node asks whether it is truthy; at exactly `true` the AWS handler sets a timer of 3 s that holds the process.
  internals.keepAlive = 1;
  const create = internals.createConnection.bind(agent);
  internals.createConnection = (options, callback) => {
    const socket = create(options, callback);
    socket?.unref?.();
    return socket;
  };
  const reuse = internals.reuseSocket.bind(agent);
  internals.reuseSocket = (socket, request) => {
    reuse(socket, request);
    socket.unref();
  };
  return agent;
}

interface AgentInternals {
  keepAlive: unknown;
  createConnection: (options: unknown, callback: unknown) => Socket | undefined;
  reuseSocket: (socket: Socket, request: unknown) => void;
}
