/**
 * AgentCore Payments on this machine: AWS's own protocol (restJson1) over node:http, so that an unmodified
 * BedrockAgentCoreClient works against it. Any signature is taken; keys and signatures are never logged.
 */
import { randomUUID } from "node:crypto";
import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import type { LocalAccount } from "viem";
import { Refusal } from "./errors.ts";
import type { Fields, Input } from "./input.ts";
import { createInstruments } from "./instruments.ts";
import { createOperations, type Operation, operationAt, STATUS } from "./operations.ts";
import { createSessions, type Session } from "./sessions.ts";

export type { Operation } from "./operations.ts";

export interface DataPlaneOptions {
  /** What instruments are made over, in this order unless one is asked for by its address. */
  readonly accounts: readonly LocalAccount[];
  /** A call that names another manager finds nothing. */
  readonly managerArns: readonly string[];
  /** Unix milliseconds. Default: the clock. */
  readonly now?: (() => number) | undefined;
  /** What goes wrong with a call, asked before it is done. */
  readonly fault?: ((operation: Operation, input: FaultInput) => Fault | undefined) | undefined;
  /** Told of every call of a known operation when it arrives, at unix milliseconds. */
  readonly onCall?: ((operation: Operation, at: number) => void) | undefined;
}

/** A call's body with its user, before any check. */
export type FaultInput = Fields & { readonly userId: string };

/**
 * - `throttle`, `deny`, `internal`: AWS's exceptions for these; nothing is done
 * - `garbage`: 200 with a page of HTML, as a proxy gives it; nothing is done
 * - `lost`: it is done, and the connection breaks before the answer
 * - `delayMs`: it is done as ever, but so much later
 */
export type Fault = "throttle" | "deny" | "internal" | "garbage" | "lost" | { readonly delayMs: number };

export interface DataPlane {
  readonly listener: RequestListener;
  /** Every session that is not deleted, in the order of opening. */
  sessions(): readonly Session[];
}

const USER_ID = "x-amzn-bedrock-agentcore-payments-user-id";
const USER_ID_MAX = 120;
const BODY_MAX = 256 * 1024;

const FAULTS: Readonly<Record<"throttle" | "deny" | "internal", Refusal>> = {
  throttle: new Refusal("ThrottlingException", "Rate exceeded"),
  deny: new Refusal("AccessDeniedException", "The caller is not authorized to perform this operation"),
  internal: new Refusal("InternalServerException", "An internal error occurred"),
};

/** A data plane whose state is in memory, and gone with it. */
export function createDataPlane({ accounts, managerArns, now = Date.now, fault, onCall }: DataPlaneOptions): DataPlane {
  const sessions = createSessions(now);
  const operations = createOperations(sessions, createInstruments(accounts, now), managerArns, now);

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const operation = request.method === "POST" ? operationAt((request.url ?? "").split("?", 1)[0] ?? "") : null;
    if (operation === null) throw new Refusal("UnknownOperationException", "There is no such operation");
    onCall?.(operation, now());
    const input = await inputOf(request);
    const wrong = fault?.(operation, { ...input.body, userId: input.userId });
    if (wrong === "garbage") return void response.writeHead(200, { "content-type": "text/html" }).end(PAGE);
    if (typeof wrong === "object") await sleep(wrong.delayMs, undefined, { ref: false });
    else if (wrong !== undefined && wrong !== "lost") throw FAULTS[wrong];
    const done = await operations(operation, input);
    if (wrong === "lost") return void response.destroy();
    reply(response, STATUS[operation], done);
  }

  return {
    listener(request, response) {
      answer(request, response).catch((error: unknown) => {
        const refusal = error instanceof Refusal ? error : FAULTS.internal;
        response.setHeader("x-amzn-errortype", refusal.type);
        reply(response, refusal.status, { message: refusal.message, ...refusal.details });
      });
    },
    sessions: () => sessions.all(),
  };
}

const PAGE = "<html><body>It works</body></html>";

function reply(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "content-type": "application/json", "x-amzn-requestid": randomUUID() });
  response.end(JSON.stringify(body));
}

async function inputOf(request: IncomingMessage): Promise<Input> {
  const userId = request.headers[USER_ID] ?? "";
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size <= BODY_MAX) chunks.push(chunk); // the rest is read and dropped, so that the answer arrives
  }
  if (size > BODY_MAX) throw new Refusal("SerializationException", `The body has more than ${BODY_MAX} bytes`);
  if (typeof userId !== "string" || userId.length > USER_ID_MAX)
    throw new Refusal("ValidationException", `userId: Member must have length less than or equal to ${USER_ID_MAX}`, {
      reason: "FieldValidationFailed",
    });
  return { userId, body: parse(Buffer.concat(chunks).toString()) };
}

function parse(text: string): Fields {
  let value: unknown;
  try {
    value = JSON.parse(text === "" ? "{}" : text);
  } catch {
    throw new Refusal("SerializationException", "The body is not JSON");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new Refusal("SerializationException", "The body is no JSON object");
  return value as Fields;
}
