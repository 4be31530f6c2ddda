/** A block as far as we need it: its place, its identity, its time. */

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

export function parseBlock(raw: RawBlock): Block {
  const timestamp = Number(raw.timestamp);
  const at = new Date(timestamp * 1000).toISOString();
  return { number: Number(raw.number), hash: raw.hash.toLowerCase(), timestamp, at };
}
