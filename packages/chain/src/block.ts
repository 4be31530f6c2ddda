/** A block as far as we need it: its place, its identity, its time. */
import { RpcError } from "./rpc-error.ts";

export interface Block {
  readonly number: number;
  readonly hash: string;
  /** Unix seconds. */
  readonly timestamp: number;
  /** The same as ISO-8601 UTC with milliseconds. */
  readonly at: string;
}

/** As JSON-RPC writes it. */
export interface RawBlock {
  readonly number: string;
  readonly hash: string;
  readonly timestamp: string;
}

/** @throws {RpcError} where the node's answer is no block: its numbers would stand in the table for good */
export function parseBlock(raw: RawBlock, host: string): Block {
  const { number, hash, timestamp } = raw;
  if (!isQuantity(number) || !isHash(hash) || !isQuantity(timestamp) || Number(timestamp) > SECONDS_MAX)
    throw new RpcError("unavailable", host, "a block in its answer is none: number, hash or timestamp is not right");
  const seconds = Number(timestamp);
  return { number: Number(number), hash: hash.toLowerCase(), timestamp: seconds, at: isoOf(seconds) };
}

/** Unix seconds as ISO-8601 UTC with milliseconds. */
export function isoOf(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}

/** The year 9999: later ones have no ISO-8601 time of four digits. */
const SECONDS_MAX = 253_402_300_799;

/** A whole number as JSON-RPC writes it, that a double holds exactly. */
export function isQuantity(value: unknown): value is string {
  return typeof value === "string" && /^0x[0-9a-f]{1,14}$/i.test(value) && Number.isSafeInteger(Number(value));
}

/** 32 bytes as JSON-RPC writes them. */
export function isHash(value: unknown): value is string {
  return typeof value === "string" && /^0x[0-9a-f]{64}$/i.test(value);
}
