/**
 * The event contract, version 1: one zod union that is the source of the types, the checks at the edge and the JSON
 * Schema. Parsing also normalises: addresses and hashes to lower case, times to UTC milliseconds, URLs to origin and
 * path, free text to 256 clean characters. Unknown fields are dropped, unknown types of a producer become `Unknown`.
 */
import * as z from "zod";
import { EVENTS_PER_ENTRY, LABELS_MAX, OFFERS_MAX } from "./limits.ts";
import { address, hash, identifier, integer, shortIdentifier, text, time, uint256, url } from "./scalars.ts";
import { cleanText, isIdentifier } from "./text.ts";

/** The contract's version, and EventBridge's detail type for it. */
export const VERSION = 1;
export const DETAIL_TYPE = "payment.events.v1";

const eip3009 = z.object({
  method: z.literal("eip3009"),
  chainId: integer,
  asset: address,
  payer: address,
  nonce: hash,
});
const transfer = z.object({ method: z.literal("transfer"), chainId: integer, txHash: hash, logIndex: integer });
/** The key of a payment: who authorized what, or which log moved it. */
export const payment = z.discriminatedUnion("method", [eip3009, transfer], {
  error: 'must have a method that v1 knows: "eip3009" or "transfer"',
});

/** One entry of a 402's `accepts`. On chains that are not EVM, asset and payTo are that chain's own names. */
export const offer = z
  .object({
    scheme: text,
    network: shortIdentifier,
    asset: shortIdentifier,
    amount: uint256,
    payTo: shortIdentifier,
    maxTimeoutSeconds: integer,
  })
  .transform((value, context) => {
    const asset = address.safeParse(value.asset);
    const payTo = address.safeParse(value.payTo);
    const foreign = !value.network.startsWith("eip155:");
    if (!foreign && !asset.success) context.issues.push(notAddress("asset", value.asset));
    if (!foreign && !payTo.success) context.issues.push(notAddress("payTo", value.payTo));
    return { ...value, asset: asset.data ?? value.asset, payTo: payTo.data ?? value.payTo };
  });

const offers = z.array(offer).max(OFFERS_MAX, `must not be more than ${OFFERS_MAX}`);
/** What is bought. */
export const resource = z.object({ url, method: text, id: text.optional() });
const sessionRef = z.object({ managerArn: identifier, sessionId: identifier });
/** An AgentCore payment session, and the user it was opened for. */
export const session = sessionRef.extend({ userId: identifier });
/** A budget names a label as `name=value`, so no name holds a `=`. */
const labelName = z
  .string()
  .min(1)
  .max(64)
  .refine((name) => isIdentifier(name) && !name.includes("="));
const labels = z
  .record(
    labelName,
    z.string().max(128).transform(cleanText),
    "must be pairs of a name (1 to 64 characters, no =) and a text",
  )
  .refine((pairs) => Object.keys(pairs).length <= LABELS_MAX, `must be at most ${LABELS_MAX} pairs`);

const base = { id: identifier, at: time };
const common = {
  ...base,
  requestId: identifier.optional(),
  purchaseId: identifier.optional(),
  payment: payment.optional(),
  txHash: hash.optional(),
  traceparent: text.optional(),
};
const agent = common;
/** An API that learned a request's id from the `bursar-request` header says whose it is. */
const api = { ...common, agentId: identifier.optional() };
const errorCode = text.optional();
const settlement = {
  payment,
  txHash: hash,
  logIndex: integer,
  blockHash: hash,
  seq: integer.optional(),
};

/** What an agent may say. */
export const agentEvents = [
  z.object({
    type: z.literal("agent.request_sent"),
    ...agent,
    requestId: identifier,
    resource,
    labels: labels.optional(),
  }),
  z.object({ type: z.literal("agent.payment_required"), ...agent, requestId: identifier, offers }),
  z.object({
    type: z.literal("agent.authorization_requested"),
    ...agent,
    requestId: identifier,
    accepted: offer,
    session: session.optional(),
    instrumentId: identifier.optional(),
  }),
  z.object({
    type: z.literal("agent.authorization_signed"),
    ...agent,
    payment,
    amount: uint256,
    payTo: address,
    validBefore: uint256,
    validAfter: uint256.optional(),
    accepted: offer.optional(),
    session: session.optional(),
    processPaymentId: identifier.optional(),
    x402Version: integer.optional(),
  }),
  z.object({ type: z.literal("agent.payment_sent"), ...agent, payment }),
  z.object({
    type: z.literal("agent.response_received"),
    ...agent,
    status: integer,
    settled: z.boolean().nullable(),
    durationMs: integer.optional(),
  }),
  z.object({
    type: z.literal("agent.payment_failed"),
    ...agent,
    reason: z.enum(["insufficient_funds", "session_expired", "budget_exceeded", "signing_failed", "rejected", "other"]),
    message: text,
    errorCode,
  }),
] as const;

/** What a paid API may say. */
export const apiEvents = [
  z.object({ type: z.literal("api.payment_demanded"), ...api, resource, offers }),
  z.object({
    type: z.literal("api.verification_started"),
    ...api,
    payment,
    amount: uint256,
    payTo: address,
    validBefore: uint256,
    scheme: text.optional(),
    facilitator: text.optional(),
  }),
  z.object({
    type: z.literal("api.transaction_submitted"),
    ...api,
    payment,
    txHash: hash,
    facilitator: text.optional(),
  }),
  z.object({ type: z.literal("api.transaction_confirmed"), ...api, txHash: hash }),
  z.object({ type: z.literal("api.content_returned"), ...api, status: integer }),
  z.object({ type: z.literal("api.payment_rejected"), ...api, reason: text, errorCode }),
  z.object({ type: z.literal("api.settlement_failed"), ...api, payment, reason: text, errorCode }),
] as const;

/** Types that may name no payment, hash or request: they count for their source's statistics only. */
export const MAY_NAME_NONE: readonly string[] = ["api.payment_demanded", "api.payment_rejected"];

/** What `watch` finds on the chain. Never taken from the bus. */
export const chainEvents = [
  z.object({
    type: z.literal("chain.settled"),
    ...base,
    ...settlement,
    blockNumber: integer,
    payee: address,
    amount: uint256,
    sharedBy: integer,
  }),
  z.object({
    type: z.literal("chain.transferred"),
    ...base,
    chainId: integer,
    txHash: hash,
    logIndex: integer,
    blockNumber: integer,
    blockHash: hash,
    asset: address,
    payer: address,
    payee: address,
    amount: uint256,
    seq: integer.optional(),
  }),
  z.object({ type: z.literal("chain.orphaned"), ...base, ...settlement }),
  z.object({
    type: z.literal("chain.reverted"),
    ...base,
    chainId: integer,
    txHash: hash,
    blockNumber: integer,
    reason: text.optional(),
  }),
  z.object({ type: z.literal("chain.expired"), ...base, payment, blockNumber: integer, validBefore: uint256 }),
  z.object({ type: z.literal("chain.cancelled"), ...base, payment, txHash: hash, blockNumber: integer }),
  z.object({
    type: z.literal("chain.heads"),
    ...base,
    chainId: integer,
    latest: integer,
    safe: integer,
    final: integer,
  }),
] as const;

/** What `enforce` has done. Never taken from the bus. */
export const governEvents = [z.object({ type: z.literal("session.revoked"), ...base, session: sessionRef })] as const;

/** A newer producer's event: kept in the timeline, joined to nothing but what it names. */
export const unknownEvent = z.object({ type: z.string().regex(/^(?:agent|api)\.[\x21-\x7e]{1,128}$/), ...api });

export const event = z.discriminatedUnion("type", [...agentEvents, ...apiEvents, ...chainEvents, ...governEvents]);

/** One event of version 1, parsed and normalised. */
export type Event = z.output<typeof event>;
export type EventType = Event["type"];
/** Every type that version 1 knows. */
export const EVENT_TYPES: readonly EventType[] = [...agentEvents, ...apiEvents, ...chainEvents, ...governEvents].map(
  (schema) => schema.shape.type.value,
);
/** The event of one type: `EventOf<"chain.settled">`. */
export type EventOf<Type extends EventType> = Extract<Event, { type: Type }>;
export type UnknownEvent = z.output<typeof unknownEvent>;
export type Offer = z.output<typeof offer>;
export type Session = z.output<typeof session>;
/** What a producer hands in: any letter case, any offset; `id` and `at` as it made them. */
export type EventInput = z.input<typeof event>;

/** `Detail` of one EventBridge entry, as producers write it. */
export const detail = z.object({
  version: z.literal(VERSION),
  sdk: z.object({ name: text, version: text }).optional(),
  events: z.array(event).min(1).max(EVENTS_PER_ENTRY),
});
export type Detail = z.input<typeof detail>;

function notAddress(field: string, input: string): z.core.$ZodRawIssue {
  return { code: "custom", path: [field], message: "must be an address on an eip155 network", input };
}
