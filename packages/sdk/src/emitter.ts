/** Hands a producer's events to EventBridge: in few entries, in order, kept over outages, never in the caller's way. */
import type { EventBridgeClient } from "@aws-sdk/client-eventbridge";
import type { EventInput } from "@bursar/events/contract";

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
  /** Bytes the spool may take; past it the oldest files go. Default 64 MB. */
  readonly spoolBytesMax?: number;
  /** Events held in memory; past it the oldest go to the spool, or without one are dropped. Default 10,000. */
  readonly queueMax?: number;
  /** Longest wait of an event that is not urgent. Default 1,000 ms. */
  readonly flushMs?: number;
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

export declare function createEmitter(options: EmitterOptions): Emitter;
