/** One request to a paid route and its answer, as a Node server sees them: what leaves the house becomes events. */
import { cleanUrl } from "@bursar/events/text";
import type { Emitter } from "./emitter.ts";
import { type Teller, settled as tellSettled, verificationFailed, verificationStarted } from "./paid-steps.ts";
import { quietly } from "./quietly.ts";
import { parseRequestHeader, REQUEST_HEADER } from "./request-header.ts";
import { decodeHeader, fields, readOffers, readPurchaseId, readSettlement, type Signed } from "./x402-wire.ts";

export interface ServerOptions {
  /** Who verifies and settles: a name, or a URL of which the origin is kept. Default: the facilitator client's own. */
  readonly facilitator?: string;
  /** Believe the `bursar-request` header. Default true. */
  readonly requestHeader?: boolean;
}

/** Told by the resource server's hooks of what happens to this request's payment. */
export interface Exchange {
  readonly request: Teller["request"];
  verifying(signed: Signed | null, payload: unknown): void;
  settled(txHash: string | undefined): void;
  /** Verification or settlement said no, and that was told already. */
  refused(): void;
}

interface Incoming {
  readonly method: string;
  readonly url: string;
  readonly originalUrl?: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly socket?: { readonly encrypted?: boolean };
  readonly protocol?: string;
}

interface Outgoing {
  readonly statusCode: number;
  getHeader(name: string): unknown;
  once(event: "finish", listener: () => void): unknown;
}

/** Watches the answer leave; `hooks` is false where nobody but the headers will tell of the payment. */
export function beginExchange(
  emitter: Emitter,
  options: ServerOptions,
  given: unknown,
  answer: unknown,
  hooks: boolean,
): Exchange {
  const incoming = given as Incoming;
  const response = answer as Outgoing;
  const header = (name: string) => (typeof incoming.headers[name] === "string" ? incoming.headers[name] : null);
  const url = urlOf(incoming);
  const { method } = incoming;
  const startedAt = new Date().toISOString();
  const proof = header("payment-signature") ?? header("x-payment");
  const request = options.requestHeader === false ? {} : parseRequestHeader(header(REQUEST_HEADER));
  const teller: Teller = { emitter, facilitator: quietly(() => facilitatorName(options.facilitator)), request };
  let signed: Signed | null = null;
  let purchase: { purchaseId?: string } = {};
  let verified = false;
  let refused = false;
  let txHash: string | undefined;

  function demanded(): void {
    const required = decodeHeader(text(response.getHeader("payment-required")));
    const named = fields(required?.resource)?.url;
    emitter.emit({
      type: "api.payment_demanded",
      ...request,
      resource: { url: typeof named === "string" && named !== "" ? named : url, method },
      offers: readOffers(required?.accepts),
    });
  }

  /** Without hooks: what the headers of request and answer say. */
  function fromHeaders(payload: unknown): void {
    const settlement = decodeHeader(text(response.getHeader("payment-response")));
    if (readSettlement(settlement).settled !== true) return;
    verified = true;
    signed = verificationStarted(teller, payload, undefined, startedAt);
    purchase = readPurchaseId(payload);
    txHash = tellSettled(teller, payload, undefined, settlement);
  }

  function finished(): void {
    const status = response.statusCode;
    if (proof === null) {
      if (status === 402) demanded();
      return;
    }
    const payload = decodeHeader(proof);
    if (!hooks) fromHeaders(payload);
    const says = status === 402 || status === 403;
    if (says && !refused && txHash === undefined) {
      const error = fields(decodeHeader(text(response.getHeader("payment-required"))))?.error;
      const words = typeof error === "string" ? { invalidReason: error } : { invalidMessage: `answered ${status}` };
      verificationFailed(teller, payload, undefined, words);
    }
    if (refused || !verified || (says && txHash === undefined)) return;
    if (signed === null && txHash === undefined) return; // nothing that v1 of the contract can name
    emitter.emit({
      type: "api.content_returned",
      ...request,
      ...purchase,
      ...(signed === null ? {} : { payment: signed.payment }),
      ...(txHash === undefined ? {} : { txHash }),
      status,
    });
  }

  response.once("finish", () => quietly(finished));
  return {
    request,
    verifying(authorization, payload) {
      verified = true;
      signed = authorization;
      purchase = readPurchaseId(payload);
    },
    settled(hash) {
      txHash = hash;
    },
    refused() {
      refused = true;
    },
  };
}

function urlOf({ headers, originalUrl, url, protocol, socket }: Incoming): string {
  const scheme = protocol ?? (socket?.encrypted === true ? "https" : "http");
  return cleanUrl(`${scheme}://${headers.host ?? "localhost"}${originalUrl ?? url}`);
}

function text(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}

/** The origin of a URL, a name as it is. */
export function facilitatorName(name: string | undefined): string | undefined {
  return name !== undefined && /^https?:\/\//.test(name) ? new URL(name).origin : name;
}
