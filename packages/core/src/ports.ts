/** What the steps need from the world. core declares it; store and chain implement it; tests use the real ones. */
import type { AlertMove } from "./alert-shape.ts";

/** The primary key of an item in the one table. */
export interface Key {
  readonly pk: string;
  readonly sk: string;
}

/** A JSON value: what items are made of. Amounts are decimal strings. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json | undefined };

/** The sparse indexes of the table: `due` by time for the sweep, `list` for lists. */
export type IndexName = "due" | "list";

/** Where an item stands in a sparse index; an item without an entry is not in it. */
export interface IndexEntry {
  readonly partition: string;
  readonly sort: string;
}

/** One item: its key, its data, its places in the indexes. */
export interface Item extends Key {
  readonly data: Json;
  readonly index?: { readonly [Name in IndexName]?: IndexEntry };
}

/** An item as it was read. `version` is 0 for items that were only ever put by `putAll`. */
export interface Stored extends Item {
  readonly version: number;
}

/** An idempotent put: content is a function of the key, but for `at`, of which the earliest stands. */
export interface Put extends Key {
  readonly data: Json;
  /** ISO-8601 time; an item that is there already is replaced only if its `at` is later. */
  readonly at?: string;
}

/** What `putAll` left: the data and the earliest `at`. */
export interface Fact extends Key {
  readonly data: Json;
  readonly at: string | null;
}

/** A put under a version: `expected` is the version that was read, null where no item was. */
export interface VersionedPut extends Item {
  readonly expected: number | null;
}

/** Adds to a counter. Counters are exact at any size of a uint256 and may go below zero. */
export interface Add extends Key {
  readonly amount: bigint;
}

export interface Page<T> {
  readonly items: readonly T[];
  /** Give it back to go on; null at the end. */
  readonly next: string | null;
}

/** One change in the feed: the item after a commit, and before it. */
export interface Change {
  readonly key: Key;
  readonly before: Stored | null;
  readonly after: Stored;
}

/** Actions that fit in one atomic commit (DynamoDB's TransactWriteItems). */
export const ACTIONS_PER_COMMIT = 100;

/**
 * The table. Two adapters: DynamoDB and LMDB. No scans; reads by key and within one partition are consistent, reads
 * of an index may lag. Every method may throw for a passing fault (throttle, network): the caller's work is retried.
 */
export interface Store {
  /** Consistent reads by key, in the order asked, undefined where nothing is. Any number of keys. */
  get(keys: readonly Key[]): Promise<readonly (Stored | undefined)[]>;

  /** The facts of one partition whose sk starts with `prefix`, by sk. Consistent. Default limit 1,000. */
  facts(pk: string, prefix: string, page?: { after?: string | null; limit?: number }): Promise<Page<Fact>>;

  /** Entries of one index partition with `from` <= sort < `to`, ascending. May lag behind the table. */
  index(
    name: IndexName,
    partition: string,
    range?: { from?: string; to?: string; after?: string | null; limit?: number },
  ): Promise<Page<Stored>>;

  /** Puts many facts, each on its own, in any order; durable when it resolves. Repeats change nothing. */
  putAll(puts: readonly Put[]): Promise<void>;

  /** Deletes facts that nobody will ask for again, each on its own; durable when it resolves. What is under a version stays. */
  drop(keys: readonly Key[]): Promise<void>;

  /**
   * All or nothing, at most ACTIONS_PER_COMMIT actions, one per key. "conflict" when a version was not the expected
   * one or another writer held an item: nothing was written, read again. Durable when it resolves.
   */
  commit(puts: readonly VersionedPut[], adds: readonly Add[]): Promise<"done" | "conflict">;

  /** Counters, in the order asked; 0n where nothing was ever added. Consistent. */
  counters(keys: readonly Key[]): Promise<readonly bigint[]>;

  /** What `commit` has put since `after` (null: since the beginning that is kept), in order per item. */
  changes(after: string | null, limit: number): Promise<{ readonly changes: readonly Change[]; readonly next: string }>;

  close(): Promise<void>;
}

/** An AgentCore payment session by its name: a session id is unique within its payment manager only. */
export interface SessionKey {
  readonly managerArn: string;
  readonly sessionId: string;
}

/** A session as AgentCore lists it for a user. Times are ISO-8601 UTC with milliseconds. */
export interface ListedSession extends SessionKey {
  readonly userId: string;
  readonly createdAt: string;
  readonly expiresAt: string;
}

/** A session as AgentCore shows it. Amounts are atomic units of USDC (AgentCore's dollars, exact). */
export interface SessionReading extends ListedSession {
  /** Null: the session was opened without a cap. */
  readonly limit: bigint | null;
  /** What AgentCore would still sign for; null where it does not say. */
  readonly available: bigint | null;
}

/** A wallet that AgentCore keeps for a user. */
export interface Instrument {
  readonly instrumentId: string;
  readonly userId: string;
  /** Lower case; null for an instrument that is no EVM wallet or shows no address. */
  readonly address: string | null;
}

/** What became of a deletion. `not_found` is as good as deleted: nobody can pay with it. */
export type Deletion =
  | { readonly outcome: "deleted" | "not_found" }
  | { readonly outcome: "refused"; readonly fault: "denied" | "invalid"; readonly message: string };

/**
 * AgentCore Payments, as much of it as governance needs; `packages/agentcore` implements it. Throttles and passing
 * faults are retried inside, bounded; what is thrown then has a `fault`: `unavailable` (throttled, 5xx, no answer, an
 * answer that is none), `denied` (IAM) or `invalid` (AgentCore refuses the request as it is).
 */
export interface Sessions {
  /** Deletes for good. Where `userId` is not the session's own, AgentCore finds none. */
  delete(session: SessionKey, userId: string | null): Promise<Deletion>;
  /** One page of a user's sessions under one manager. */
  list(managerArn: string, userId: string, after: string | null): Promise<Page<ListedSession>>;
  /** Null where there is none. */
  get(session: SessionKey, userId: string | null): Promise<SessionReading | null>;
  /** One page of a user's wallets under one manager. */
  instruments(managerArn: string, userId: string, after: string | null): Promise<Page<Instrument>>;
}

/** What the chain shows of one wallet at one block. */
export interface WalletReading {
  /** Atomic units of the token; null where the token did not answer: unknown, never zero. */
  readonly balance: bigint | null;
  /** Whether the token's issuer has blacklisted the wallet; null where the token has no such list. */
  readonly blacklisted: boolean | null;
}

/** What the chain shows of the wallets that were asked for, all of it at one block. */
export interface BalanceReading {
  readonly block: number;
  /** Hash of `block`, and of each of the earlier blocks that were asked for and are there. */
  readonly hashes: ReadonlyMap<number, string>;
  /** By address, lower case. */
  readonly wallets: ReadonlyMap<string, WalletReading>;
  /** Whether the token moves for nobody; null where it cannot be paused. */
  readonly paused: boolean | null;
}

/** The token's balances; `packages/chain` implements it. */
export interface Balances {
  /**
   * Reads `wallets` (lower case, any number) at `block`, and the hashes of `earlier` blocks from the same view of the
   * chain. Throws where no node has that block: a balance that cannot be read is none.
   */
  read(wallets: readonly string[], block: number, earlier: readonly number[]): Promise<BalanceReading>;
}

/** Tells people of an alert; `packages` that know mail, chat or SNS implement it. */
export interface Publisher {
  /**
   * Delivers one message; resolves when the channel has taken it. Called again with the same move after a crash or a
   * failure: at least once. Throws for a fault of any kind: it is tried again later, and shown as undelivered until then.
   */
  publish(move: AlertMove): Promise<void>;
}
