/** Hands a producer's events to EventBridge: in few entries, kept over outages, never in the caller's way. */
import { randomUUID } from "node:crypto";
import type { EventBridgeClient } from "@aws-sdk/client-eventbridge";
import type { EventInput } from "@bursar/events/contract";
import { ownPrefix, PRODUCER_ID, producerSource } from "@bursar/events/source";
import { cleanEvent, messageOf } from "./clean.ts";
import { defaultClient } from "./client.ts";
import { openDelivery } from "./delivery.ts";
import { EVENT_BYTES_MAX } from "./entries.ts";
import { openSpool } from "./spool.ts";

/** Who speaks. The id is the one the config knows. */
export type Producer = { readonly agent: string } | { readonly api: string };

type OwnEvent = Extract<EventInput, { type: `agent.${string}` | `api.${string}` }>;
type WithoutId<E> = E extends unknown ? Omit<E, "id" | "at"> & { readonly at?: string } : never;

/** One event of the contract without `id` and `at`, which the emitter makes. */
export type EmitInput = WithoutId<OwnEvent>;

export interface EmitterOptions {
  readonly source: Producer;
  /** EventBusName; the account's default bus without one. */
  readonly bus?: string;
  /** An own client; its settings are used as they are. */
  readonly client?: EventBridgeClient;
  /** Where PutEvents is, such as `http://127.0.0.1:4402/aws/events`; ignored with `client`. */
  readonly endpoint?: string;
  readonly region?: string;
  /** Directory that keeps events while the bus is away; several processes may share it. */
  readonly spool?: string;
  /** Bytes the spool may take per source; past it the oldest files go. Default 64 MB. */
  readonly spoolBytesMax?: number;
  /** Events held in memory; past it the oldest go to the spool, or without one are dropped. Default 10,000. */
  readonly queueMax?: number;
  /** Longest wait of an event that is not urgent. Default 1,000 ms. */
  readonly flushMs?: number;
  /** Milliseconds that one call may take. Default 3,000. */
  readonly callTimeoutMs?: number;
  /** Told of every failure; what it throws is ignored. */
  readonly onError?: (error: Error) => void;
}

/** Counts of events since the emitter was made. */
export interface EmitterStats {
  readonly emitted: number;
  readonly sent: number;
  /** In memory now. */
  readonly queued: number;
  /** Put on disk by this process. */
  readonly spooled: number;
  /** Read back from disk and sent. */
  readonly drained: number;
  /** Refused by the bus for good, or too large: in the spool's `refused` file where there is a spool. */
  readonly refused: number;
  /** Lost: no room. */
  readonly dropped: number;
  /** Calls that failed and were tried again. */
  readonly retries: number;
}

export interface Emitter {
  /** EventBridge's source: `bursar.agent.<id>` or `bursar.api.<id>`. */
  readonly source: string;
  /** Takes one event. Returns at once and never throws. */
  emit(event: EmitInput): void;
  /** Resolves true once all that was emitted so far is on the bus, false when `timeoutMs` (default 5,000) passed. */
  flush(timeoutMs?: number): Promise<boolean>;
  /** Flushes, then puts what is left on the spool. Later events go straight to the spool. True when nothing is lost. */
  close(timeoutMs?: number): Promise<boolean>;
  stats(): EmitterStats;
}

/** What governance acts on: it goes at once, with whatever waits. */
const URGENT: ReadonlySet<string> = new Set([
  "agent.authorization_signed",
  "agent.payment_failed",
  "api.verification_started",
  "api.transaction_submitted",
  "api.settlement_failed",
  "api.payment_rejected",
]);

const MB = 1024 * 1024;
const QUEUE_BYTES_MAX = 16 * MB;

/**
 * An emitter of one producer. Timers and sockets never keep the process alive: end with `await emitter.close()`, and in
 * a Lambda function `await emitter.flush()` before the answer.
 * @throws TypeError when the producer's id cannot be an EventBridge source.
 */
export function createEmitter(options: EmitterOptions): Emitter {
  const [kind, id] =
    "agent" in options.source ? (["agent", options.source.agent] as const) : (["api", options.source.api] as const);
  if (!PRODUCER_ID.test(id)) {
    throw new TypeError(
      `source.${kind} is ${JSON.stringify(id)}: it must be 1 to 128 letters, digits, dots, dashes or underscores`,
    );
  }
  const source = producerSource(kind, id);
  const prefix = ownPrefix({ kind, id });
  const { spool, client, endpoint, region, onError } = options;
  let emitted = 0;
  const report = (error: unknown) => {
    try {
      onError?.(error instanceof Error ? error : new Error(messageOf(error)));
    } catch {
      // a listener's own trouble
    }
  };
  const delivery = openDelivery({
    address: {
      client: client ?? defaultClient({ endpoint, region }),
      bus: options.bus,
      source,
      timeoutMs: options.callTimeoutMs ?? 3_000,
    },
    spool: spool === undefined ? null : openSpool(spool, source, options.spoolBytesMax ?? 64 * MB),
    queueMax: options.queueMax ?? 10_000,
    queueBytesMax: QUEUE_BYTES_MAX,
    flushMs: options.flushMs ?? 1_000,
    ownsClient: client === undefined,
    report,
  });

  return {
    source,
    emit(event) {
      emitted += 1;
      let json = "";
      try {
        const { at, ...fields } = cleanEvent(event);
        json = JSON.stringify({ id: randomUUID(), at: at ?? new Date().toISOString(), ...fields });
        const bytes = Buffer.byteLength(json);
        if (!event.type.startsWith(prefix)) delivery.refuse(json, `${source} may assert ${prefix}* only`);
        else if (bytes > EVENT_BYTES_MAX)
          delivery.refuse(json.slice(0, 1024), `${bytes} bytes: at most ${EVENT_BYTES_MAX} fit an entry`);
        else delivery.take({ seq: emitted, json, bytes, oddities: 0 }, URGENT.has(event.type));
      } catch (error) {
        delivery.refuse(json, `no event: ${messageOf(error)}`);
      }
    },
    flush: (timeoutMs = 5_000) => delivery.flush(emitted, timeoutMs),
    close: (timeoutMs = 5_000) => delivery.close(emitted, timeoutMs),
    stats: () => ({ emitted, ...delivery.counts() }),
  };
}
