/** The one-machine edition: store, queue, steps and HTTP in one process. `startMachine` puts them together. */
import type { Store } from "@bursar/core/ports";
import type { Config } from "@bursar/events/config-schema";
import type { Told } from "@bursar/events/envelope";
import type { Health } from "@bursar/events/shapes";
import type { Listener } from "./feed.ts";

export interface MachineOptions {
  /** The data directory, made where it is missing. The table is in `<data>/store`, the queue in `<data>/queue`. */
  readonly data: string;
  readonly config: Config;
  /** Default 4402; 0 takes any free one. */
  readonly port?: number | undefined;
  /** Default 127.0.0.1. Another address needs `token`. */
  readonly host?: string | undefined;
  /** Callers then must send `authorization: Bearer <token>`. */
  readonly token?: string | undefined;
  /** The chain to watch; without it no chain is watched and health says so. */
  readonly watch?:
    | {
        readonly rpcUrls: readonly string[];
        /** Pause between rounds, default 1,000 ms. */
        readonly intervalMs?: number | undefined;
        /** Where a first start begins; default the latest block. */
        readonly startBlock?: number | undefined;
      }
    | undefined;
  /** A line for a person, such as that the chain does not answer. The feed's `notice` says the same. */
  readonly log?: ((line: string) => void) | undefined;
}

export interface Machine {
  readonly port: number;
  /** Such as `http://127.0.0.1:4402`, without a path. */
  readonly url: string;
  readonly store: Store;
  /** Entries that were acknowledged and are not yet in the table. */
  queueDepth(): number;
  health(): Promise<Health>;
  /** Calls `listener` for every event from now on; returns what ends that. */
  on(listener: Listener): () => void;
  /** Facts of the chain, committed in process; resolves when they are durable. Repeats change nothing. */
  tell(told: readonly Told[]): Promise<void>;
  /** Resolves when nothing that was acknowledged waits in the queue. */
  drained(): Promise<void>;
  /** Takes no more, finishes what is under way and closes, within two seconds; the queue's rest waits for the next start. */
  stop(): Promise<void>;
}

/**
 * Starts everything and answers when requests are taken.
 * @throws {MachineError} `port_taken`, `address` (not local without a token)
 * @throws {StoreError} for a data directory that is locked, corrupt or not Bursar's
 */
export async function startMachine(_options: MachineOptions): Promise<Machine> {
  throw new MachineError("address", "the machine is not put together yet");
}

/** Why the machine did not start, and what to do about it. */
export class MachineError extends Error {
  override readonly name = "MachineError";
  readonly fault: "port_taken" | "address";

  constructor(fault: "port_taken" | "address", message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.fault = fault;
  }
}
