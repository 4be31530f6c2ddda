/** One purchase attempt of an agent, from the request to the last answer: what it does becomes events. */
import { randomUUID } from "node:crypto";
import type { Eip3009Key } from "@bursar/events/ids";
import { LABELS_MAX } from "@bursar/events/limits";
import { isIdentifier } from "@bursar/events/text";
import { messageOf } from "./clean.ts";
import type { Emitter } from "./emitter.ts";
import { failureReason } from "./failure.ts";
import { quietly } from "./quietly.ts";
import { fields, readOffer, readOffers, readPurchaseId, readSettlement, readSigned } from "./x402-wire.ts";

/** An AgentCore payment session. */
export interface SessionRef {
  readonly managerArn: string;
  readonly sessionId: string;
  readonly userId: string;
}

type PerRequest<T> = T | ((request: Request) => T | undefined);

export interface ClientOptions {
  /** At most 8 short pairs, on every request; or made per request, of which URL, method and headers are shown. */
  readonly labels?: PerRequest<Readonly<Record<string, string>>>;
  /** The AgentCore session that pays; or found per request. */
  readonly session?: PerRequest<SessionRef>;
  /** AgentCore's payment instrument. */
  readonly instrumentId?: string;
  /** AgentCore's processPaymentId of a signed payload, where there is one. */
  readonly processPaymentId?: (payload: unknown) => string | undefined;
  /** Tell the API `<agentId>/<requestId>` in the `bursar-request` header. Default false. */
  readonly requestHeader?: boolean;
  /** Makes request ids. Default: random UUIDs. */
  readonly requestId?: () => string;
}

/** Told of each thing as it happens. Methods may throw: whoever calls them keeps that from the payment. */
export interface Purchase {
  /** The `bursar-request` header's value, or null where nobody opted in. */
  readonly header: string | null;
  requested(url: string, method: string, headers: Headers): void;
  selected(paymentRequired: unknown, requirements: unknown): void;
  signed(payload: unknown, requirements: unknown): void;
  signingFailed(error: unknown): void;
  /** A request with a proof of payment leaves. */
  sending(payload: unknown): void;
  answered(status: number, headers: { readonly required: unknown; readonly settlement: unknown }): void;
  /** The whole attempt threw. */
  failed(error: unknown): void;
}

/** A purchase whose request id is made here, before anything is signed. */
export function beginPurchase(emitter: Emitter, options: ClientOptions): Purchase {
  const made = quietly(() => options.requestId?.());
  const requestId = made !== undefined && isIdentifier(made) ? made : randomUUID();
  const agentId = emitter.source.replace("bursar.agent.", "");
  const startedAt = performance.now();
  const signed = new Set<string>();
  const sent = new Set<string>();
  let session: SessionRef | undefined;
  let begun = false;
  /** A 402 was met: from here on a failure is a payment's. */
  let demanded = false;
  let announced = false;
  let requirements: readonly unknown[] = [];
  let cause: unknown;
  /** What was signed last, and whether its answer has come. */
  let payment: Eip3009Key | undefined;
  let purchase: { purchaseId?: string } = {};
  let open = false;
  let proofSent = false;

  const known = () => ({ requestId, ...purchase, ...(payment === undefined ? {} : { payment }) });

  function demand(accepts: unknown): void {
    demanded = true;
    requirements = Array.isArray(accepts) ? accepts : [];
    if (announced) return;
    announced = true;
    emitter.emit({ type: "agent.payment_required", requestId, offers: readOffers(accepts) });
  }

  function select(chosen: unknown): void {
    demanded = true;
    const accepted = readOffer(chosen);
    if (accepted === null) return;
    const { instrumentId } = options;
    emitter.emit({
      type: "agent.authorization_requested",
      requestId,
      accepted,
      ...(session === undefined ? {} : { session }),
      ...(instrumentId !== undefined && isIdentifier(instrumentId) ? { instrumentId } : {}),
    });
  }

  function sign(payload: unknown, chosen: unknown): void {
    const authorization = readSigned(payload, chosen);
    if (authorization === null || signed.has(authorization.payment.nonce)) return;
    signed.add(authorization.payment.nonce);
    payment = authorization.payment;
    purchase = readPurchaseId(payload);
    open = true;
    const accepted = readOffer(fields(payload)?.accepted) ?? readOffer(chosen);
    const version = fields(payload)?.x402Version;
    const processPaymentId = quietly(() => options.processPaymentId?.(payload));
    emitter.emit({
      type: "agent.authorization_signed",
      requestId,
      ...purchase,
      ...authorization,
      ...(accepted === null ? {} : { accepted }),
      ...(session === undefined ? {} : { session }),
      ...(processPaymentId !== undefined && isIdentifier(processPaymentId) ? { processPaymentId } : {}),
      ...(Number.isSafeInteger(version) ? { x402Version: Number(version) } : {}),
    });
  }

  return {
    header: options.requestHeader === true ? `${agentId}/${requestId}` : null,

    requested(url, method, headers) {
      proofSent = false;
      if (begun) return;
      begun = true;
      const shown = () => new Request(url, { method, headers });
      session = validSession(perRequest(options.session, shown));
      const labels = validLabels(perRequest(options.labels, shown));
      emitter.emit({
        type: "agent.request_sent",
        requestId,
        resource: { url, method: method.toUpperCase() },
        ...(labels === undefined ? {} : { labels }),
      });
    },

    selected(paymentRequired, chosen) {
      demand(fields(paymentRequired)?.accepts);
      select(chosen);
    },

    signed: sign,

    signingFailed(error) {
      cause = error;
    },

    sending(payload) {
      proofSent = true;
      const { scheme, network } = fields(payload) ?? {};
      const chosen =
        fields(payload)?.accepted ??
        requirements.map(fields).find((offer) => offer?.scheme === scheme && offer?.network === network);
      const authorization = readSigned(payload, chosen);
      if (authorization === null) return;
      const { nonce } = authorization.payment;
      if (!signed.has(nonce)) {
        select(chosen);
        sign(payload, chosen);
      }
      payment = authorization.payment;
      if (sent.has(nonce)) return;
      sent.add(nonce);
      emitter.emit({ type: "agent.payment_sent", ...known(), payment });
    },

    answered(status, { required, settlement }) {
      const accepts = fields(required)?.accepts;
      if (status === 402) {
        announced = false;
        demanded = true;
        if (accepts !== undefined) demand(accepts);
        if (!proofSent) return;
      }
      open = false;
      const { errorCode, ...settled } = readSettlement(settlement);
      const durationMs = Math.round(performance.now() - startedAt);
      emitter.emit({ type: "agent.response_received", ...known(), status, ...settled, durationMs });
      if (!proofSent || (status !== 402 && status !== 403)) return;
      const said = errorCode ?? fields(required)?.error;
      const words = typeof said === "string" ? said : "";
      emitter.emit({
        type: "agent.payment_failed",
        ...known(),
        ...("txHash" in settled ? { txHash: settled.txHash } : {}),
        reason: failureReason(words, "rejected"),
        message: words === "" ? `answered ${status} to a payment` : words,
        ...(words === "" ? {} : { errorCode: words }),
      });
    },

    failed(error) {
      // A free request that failed is no payment's failure; one that was answered has told its story.
      if (!demanded || (signed.size > 0 && !open)) return;
      const words = `${messageOf(error)} ${cause === undefined ? "" : `${(cause as Error).name ?? ""} ${messageOf(cause)}`}`;
      const otherwise = open || cause === undefined ? "other" : "signing_failed";
      emitter.emit({
        type: "agent.payment_failed",
        ...known(),
        reason: open ? "other" : failureReason(words, otherwise),
        message: open ? `no answer after signing, the payment may still settle: ${messageOf(error)}` : messageOf(error),
      });
    },
  };
}

function perRequest<T>(option: PerRequest<T> | undefined, request: () => Request): T | undefined {
  if (typeof option !== "function") return option;
  return quietly(() => (option as (request: Request) => T | undefined)(request()));
}

/** Labels that the contract takes, or none: a bad label must not cost the event. */
function validLabels(labels: Readonly<Record<string, string>> | undefined): Record<string, string> | undefined {
  const pairs = Object.entries(labels ?? {})
    .filter(([name, value]) => name.length > 0 && name.length <= 64 && typeof value === "string")
    .slice(0, LABELS_MAX)
    .map(([name, value]) => [name, value.slice(0, 128)] as const);
  return pairs.length === 0 ? undefined : Object.fromEntries(pairs);
}

function validSession(session: SessionRef | undefined): SessionRef | undefined {
  if (session === undefined) return undefined;
  const { managerArn, sessionId, userId } = session;
  const usable = [managerArn, sessionId, userId].every((part) => typeof part === "string" && isIdentifier(part));
  return usable ? { managerArn, sessionId, userId } : undefined;
}
