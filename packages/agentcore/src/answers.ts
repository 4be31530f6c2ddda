/** AgentCore's answers as the port shows them. What lacks a part, or is about something else, is garbage. */
import type {
  DeletePaymentSessionCommandOutput,
  GetPaymentInstrumentCommandOutput,
  GetPaymentSessionCommandOutput,
  ListPaymentInstrumentsCommandOutput,
  ListPaymentSessionsCommandOutput,
  PaymentSessionSummary,
} from "@aws-sdk/client-bedrock-agentcore";
import type { ListedSession, Page, SessionKey, SessionReading } from "@bursar/core/ports";
import { isIdentifier } from "@bursar/events/text";
import { readAmount } from "./amount.ts";
import { GarbageError } from "./garbage.ts";

/** Entries of one page: far more than AgentCore gives. */
export const ENTRIES_MAX = 1000;
/** AgentCore's longest token of a page. */
const TOKEN_LENGTH_MAX = 2048;
/** A year; AgentCore's own limit is 480. */
const EXPIRY_MINUTES_MAX = 525_600;
const EVM_ADDRESS = /^0x[0-9a-fA-F]{40}$/;

/** An instrument as a list shows it: without its address. */
export interface ListedInstrument {
  readonly instrumentId: string;
  readonly connectorId: string;
  readonly userId: string;
}

/** What a list was asked for. */
export interface ListAsked {
  readonly managerArn: string;
  readonly userId: string;
  readonly after: string | null;
}

/** @throws {GarbageError} unless it says that the session is deleted. */
export function readDeleted({ status }: DeletePaymentSessionCommandOutput): "deleted" {
  if (status !== "DELETED") throw new GarbageError('an answer whose status is not "DELETED"');
  return "deleted";
}

export function readSessions(output: ListPaymentSessionsCommandOutput, asked: ListAsked): Page<ListedSession> {
  const items = entries(output.paymentSessions, "paymentSessions").map((entry) => readListed(entry, asked));
  return { items, next: readNext(output.nextToken, asked.after) };
}

export function readSession(
  { paymentSession: session }: GetPaymentSessionCommandOutput,
  { managerArn, sessionId }: SessionKey,
  userId: string | null,
): SessionReading {
  if (!isObject(session)) throw new GarbageError("an answer without a paymentSession");
  const listed = readListed(session, { managerArn, userId });
  if (listed.sessionId !== sessionId) throw new GarbageError("an answer about another session");
  const { limits, availableLimits } = session;
  const available = availableLimits?.availableSpendAmount;
  return {
    ...listed,
    limit: limits == null ? null : readAmount(limits.maxSpendAmount ?? noAmount, "limits.maxSpendAmount"),
    available: available == null ? null : readAmount(available, "availableLimits.availableSpendAmount"),
  };
}

export function readInstruments(output: ListPaymentInstrumentsCommandOutput, asked: ListAsked): Page<ListedInstrument> {
  const items = entries(output.paymentInstruments, "paymentInstruments").map((entry) => {
    sameOwner(entry, asked);
    return {
      instrumentId: identifier(entry.paymentInstrumentId, "paymentInstrumentId"),
      connectorId: identifier(entry.paymentConnectorId, "paymentConnectorId"),
      userId: asked.userId,
    };
  });
  return { items, next: readNext(output.nextToken, asked.after) };
}

/** The EVM address in lower case. By its shape: a Solana address has another, and AgentCore may learn new networks. */
export function readAddress(
  { paymentInstrument: instrument }: GetPaymentInstrumentCommandOutput,
  instrumentId: string,
): string | null {
  if (!isObject(instrument)) throw new GarbageError("an answer without a paymentInstrument");
  if (instrument.paymentInstrumentId !== instrumentId) throw new GarbageError("an answer about another instrument");
  const address = instrument.paymentInstrumentDetails?.embeddedCryptoWallet?.walletAddress;
  return typeof address === "string" && EVM_ADDRESS.test(address) ? address.toLowerCase() : null;
}

function readListed(entry: PaymentSessionSummary, asked: { managerArn: string; userId: string | null }): ListedSession {
  sameOwner(entry, asked);
  const { createdAt, expiryTimeInMinutes: minutes } = entry;
  const created = createdAt instanceof Date ? createdAt.getTime() : Number.NaN;
  if (Number.isNaN(created)) throw new GarbageError("a session without a createdAt");
  if (typeof minutes !== "number" || !(minutes > 0 && minutes <= EXPIRY_MINUTES_MAX)) {
    throw new GarbageError(`a session whose expiryTimeInMinutes is not 1 to ${EXPIRY_MINUTES_MAX}`);
  }
  return {
    managerArn: asked.managerArn,
    sessionId: identifier(entry.paymentSessionId, "paymentSessionId"),
    userId: identifier(entry.userId, "userId"),
    createdAt: new Date(created).toISOString(),
    expiresAt: new Date(created + minutes * 60_000).toISOString(),
  };
}

/** Another user's session would be charged to, and revoked for, the wrong agent. */
function sameOwner(
  entry: { paymentManagerArn?: string | undefined; userId?: string | undefined },
  { managerArn, userId }: { managerArn: string; userId: string | null },
): void {
  if (entry.paymentManagerArn !== managerArn) throw new GarbageError("an answer about another payment manager");
  if (userId !== null && entry.userId !== userId) throw new GarbageError("an answer about another user");
}

function entries<T>(list: readonly T[] | undefined, field: string): readonly T[] {
  if (!Array.isArray(list) || !list.every(isObject)) throw new GarbageError(`an answer without a list of ${field}`);
  if (list.length > ENTRIES_MAX) throw new GarbageError(`an answer with more than ${ENTRIES_MAX} ${field}`);
  return list;
}

/** A token that leads back to the same page would never end. */
function readNext(token: unknown, after: string | null): string | null {
  if (token === undefined || token === null || token === "") return null;
  if (typeof token !== "string" || token.length > TOKEN_LENGTH_MAX) throw new GarbageError("a nextToken that is none");
  if (token === after) throw new GarbageError("a nextToken that leads back to the same page");
  return token;
}

function identifier(value: unknown, field: string): string {
  if (typeof value !== "string" || !isIdentifier(value)) throw new GarbageError(`an entry without a ${field}`);
  return value;
}

function isObject<T>(value: T): value is NonNullable<T> {
  return typeof value === "object" && value !== null;
}

/** Limits without an amount are no missing limit. */
const noAmount = { value: undefined, currency: undefined };
