/** The port `Sessions` over AWS's own client of AgentCore Payments: revoke, list and read sessions, find wallets. */
import { setMaxListeners } from "node:events";
import {
  type BedrockAgentCoreClient,
  DeletePaymentSessionCommand,
  GetPaymentInstrumentCommand,
  GetPaymentSessionCommand,
  ListPaymentInstrumentsCommand,
  ListPaymentSessionsCommand,
} from "@aws-sdk/client-bedrock-agentcore";
import type { Instrument, Sessions } from "@bursar/core/ports";
import {
  type ListedInstrument,
  readAddress,
  readDeleted,
  readInstruments,
  readSession,
  readSessions,
} from "./answers.ts";
import { attempt, CLOSED } from "./attempt.ts";
import { type Credentials, createClients, REGIONS_MAX } from "./clients.ts";
import { again, type Outcome } from "./failure.ts";
import { regionOf } from "./manager-arn.ts";
import { mapInParallel } from "./parallel.ts";
import { errorOf, messageOf, objection, type Request } from "./request.ts";
import { type Pause, retried, timerPause } from "./retry.ts";

export interface SessionsOptions {
  /** A local data plane, such as http://127.0.0.1:4010; by default AWS's own for the manager's region. */
  readonly endpoint?: string;
  /** By default the SDK's own chain. */
  readonly credentials?: Credentials;
  /** Attempts of one call in all. Default 4. */
  readonly attemptsMax?: number;
  /** Milliseconds of one attempt, from credentials to the answer's last byte. Default 5,000. */
  readonly timeoutMs?: number;
  /** Instruments that are read at once, for their addresses. Default 4. */
  readonly concurrency?: number;
  /** By default the clock's wait. */
  readonly pause?: Pause;
  /** From 0 to below 1. Default Math.random. */
  readonly random?: () => number;
}

/**
 * One call takes at most `attemptsMax` times `timeoutMs` and the waits between, which `retry.ts` bounds.
 * `close` ends what is under way (as `unavailable`) and what comes later.
 * @throws {RangeError} for options that leave nothing to do.
 */
export function createSessions(options: SessionsOptions = {}): Sessions & { close(): void } {
  const attemptsMax = wholeNumber(options.attemptsMax ?? 4, "attemptsMax");
  const timeoutMs = wholeNumber(options.timeoutMs ?? 5000, "timeoutMs");
  const concurrency = wholeNumber(options.concurrency ?? 4, "concurrency");
  const { endpoint, credentials, pause = timerPause, random = Math.random } = options;
  const clients = createClients({ endpoint, credentials, timeoutMs });
  const closing = new AbortController();
  const closed = closing.signal;
  // Every call under way listens, and there may be many.
  setMaxListeners(0, closed);

  /** Asks until there is an answer that can be read. */
  function ask<T>(
    request: Request,
    send: (client: BedrockAgentCoreClient, options: { abortSignal: AbortSignal }) => Promise<T>,
  ): Promise<Outcome<T>> {
    const refusal = objection(request);
    if (refusal !== null) return Promise.resolve(refusal);
    if (closed.aborted) return Promise.resolve(again(CLOSED));
    const client = clients.in(regionOf(request.managerArn) as string);
    if (client === null) {
      const reason = `sessions in more than ${REGIONS_MAX} regions`;
      return Promise.resolve({ kind: "unasked", reason, retryAfterMs: null });
    }
    const once = () => attempt((abortSignal) => send(client, { abortSignal }), timeoutMs, closed);
    return retried(once, { attemptsMax, pause, random, closed });
  }

  /** Null where there is none. */
  async function address(managerArn: string, listed: ListedInstrument): Promise<string | null> {
    const { instrumentId, connectorId, userId } = listed;
    const request: Request = { operation: "GetPaymentInstrument", managerArn, userId, id: instrumentId };
    const outcome = await ask(request, async (client, aborting) => {
      const command = new GetPaymentInstrumentCommand({
        paymentManagerArn: managerArn,
        paymentConnectorId: connectorId,
        paymentInstrumentId: instrumentId,
        userId,
      });
      return readAddress(await client.send(command, aborting), instrumentId);
    });
    if (outcome.kind === "answer") return outcome.value;
    // Deleted since it was listed: it shows no address any more.
    if (outcome.kind === "not_found") return null;
    throw errorOf(request, outcome, attemptsMax);
  }

  return {
    async delete({ managerArn, sessionId }, userId) {
      const request: Request = { operation: "DeletePaymentSession", managerArn, userId, id: sessionId };
      const outcome = await ask(request, async (client, aborting) => {
        const command = new DeletePaymentSessionCommand({
          paymentManagerArn: managerArn,
          paymentSessionId: sessionId,
          ...owner(userId),
        });
        return readDeleted(await client.send(command, aborting));
      });
      switch (outcome.kind) {
        case "answer":
          return { outcome: outcome.value };
        case "not_found":
          return { outcome: "not_found" };
        case "again":
          throw errorOf(request, outcome, attemptsMax);
        default: {
          const fault = outcome.kind === "denied" ? "denied" : "invalid";
          return { outcome: "refused", fault, message: messageOf(request, outcome, attemptsMax) };
        }
      }
    },

    async list(managerArn, userId, after) {
      const request: Request = { operation: "ListPaymentSessions", managerArn, userId, id: null };
      const outcome = await ask(request, async (client, aborting) => {
        const command = new ListPaymentSessionsCommand({ paymentManagerArn: managerArn, userId, ...page(after) });
        return readSessions(await client.send(command, aborting), { managerArn, userId, after });
      });
      if (outcome.kind !== "answer") throw errorOf(request, outcome, attemptsMax);
      return outcome.value;
    },

    async get(session, userId) {
      const { managerArn, sessionId } = session;
      const request: Request = { operation: "GetPaymentSession", managerArn, userId, id: sessionId };
      const outcome = await ask(request, async (client, aborting) => {
        const command = new GetPaymentSessionCommand({
          paymentManagerArn: managerArn,
          paymentSessionId: sessionId,
          ...owner(userId),
        });
        return readSession(await client.send(command, aborting), session, userId);
      });
      if (outcome.kind === "answer") return outcome.value;
      if (outcome.kind === "not_found") return null;
      throw errorOf(request, outcome, attemptsMax);
    },

    async instruments(managerArn, userId, after) {
      const request: Request = { operation: "ListPaymentInstruments", managerArn, userId, id: null };
      const outcome = await ask(request, async (client, aborting) => {
        const command = new ListPaymentInstrumentsCommand({ paymentManagerArn: managerArn, userId, ...page(after) });
        return readInstruments(await client.send(command, aborting), { managerArn, userId, after });
      });
      if (outcome.kind !== "answer") throw errorOf(request, outcome, attemptsMax);
      const { items: listed, next } = outcome.value;
      const items = await mapInParallel(listed, concurrency, async (entry): Promise<Instrument> => {
        const { instrumentId } = entry;
        return { instrumentId, userId, address: await address(managerArn, entry) };
      });
      return { items, next };
    },

    close() {
      closing.abort();
      clients.close();
    },
  };
}

function owner(userId: string | null): { userId?: string } {
  return userId === null ? {} : { userId };
}

function page(after: string | null): { nextToken?: string } {
  return after === null ? {} : { nextToken: after };
}

function wholeNumber(value: number, name: string): number {
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new RangeError(`${name} is ${value}: write a whole number from 1`);
}
