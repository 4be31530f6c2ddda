/**
 * Whether blocks that were read are still on the chain, by the word of every node that can be asked: one node that lags,
 * or was left on a branch that the others have given up, takes nothing back.
 */
import { isQuantity, parseBlock, type RawBlock } from "./block.ts";
import { askOne, type ChainClient, chooseFewer, complainOf, type Endpoint, inOrder } from "./client.ts";
import type { Cursor, Mark } from "./cursor.ts";
import { RpcError } from "./rpc-error.ts";
import { blockByNumber, chunks } from "./scan.ts";

/** `unknown`: no node has a block there. `disputed`: the nodes differ, or one of several alone says that it is gone. */
export type Standing = "there" | "gone" | "unknown" | "disputed";

/** Since when nodes differ about the chain, in the client's milliseconds; null where they agree. */
export interface Dispute {
  sinceMs: number | null;
}

/** Nodes that differ for so long will not agree by themselves: then the one that is furthest is believed. */
const DISPUTE_MS = 60_000;

/** What one node has at the heights asked for, and how far it is. */
interface Opinion {
  readonly endpoint: Endpoint;
  readonly latest: number;
  readonly hashes: readonly (string | null)[];
}

/**
 * The standing of each block, in the order given. Where nodes differ, those that lack what was read are asked last for a
 * while: it may be they who are wrong, and if not, the others will soon agree with them.
 */
export async function standings(
  client: ChainClient,
  marks: readonly Mark[],
  dispute: Dispute,
): Promise<readonly Standing[]> {
  if (marks.length === 0) return [];
  const needed = Math.min(2, client.endpoints.length);
  const opinions = await askEveryone(client, marks);
  const found = marks.map((mark, index) => standingOf(mark, index, opinions, needed));
  if (!found.includes("disputed")) {
    dispute.sinceMs = null;
    return found;
  }
  for (const { endpoint, hashes } of opinions)
    if (hashes.some((hash, index) => found[index] === "disputed" && hash !== null && hash !== marks[index]?.hash))
      complainOf(client, endpoint);
  const now = client.clock();
  dispute.sinceMs ??= now;
  const [furthest] = [...opinions].sort((a, b) => b.latest - a.latest);
  if (now - dispute.sinceMs < DISPUTE_MS || furthest === undefined) return found;
  return found.map((standing, index) =>
    standing === "disputed" ? standingOf(marks[index] as Mark, index, [furthest], 1) : standing,
  );
}

/** `needed`: so many must say that a block is gone before it is. */
function standingOf(mark: Mark, index: number, opinions: readonly Opinion[], needed: number): Standing {
  const hashes = opinions.map((opinion) => opinion.hashes[index] ?? null).filter((hash) => hash !== null);
  if (hashes.length === 0) return "unknown";
  const there = hashes.filter((hash) => hash === mark.hash).length;
  if (there === hashes.length) return "there";
  return there === 0 && hashes.length >= needed ? "gone" : "disputed";
}

/** Of nodes that do not answer nothing is known. */
async function askEveryone(client: ChainClient, marks: readonly Mark[]): Promise<Opinion[]> {
  const opinions = await Promise.all(
    inOrder(client).map(async (endpoint): Promise<Opinion | null> => {
      try {
        const hashes: (string | null)[] = [];
        let latest = 0;
        for (const part of chunks(marks, client.limits.calls - 1)) {
          const calls = [{ method: "eth_blockNumber", params: [] }, ...part.map((mark) => blockByNumber(mark.number))];
          const [newest, ...blocks] = await askOne(client, endpoint, calls);
          latest = isQuantity(newest) ? Number(newest) : 0;
          for (const raw of blocks) hashes.push(raw === null ? null : parseBlock(raw as RawBlock, endpoint.host).hash);
        }
        return { endpoint, latest, hashes };
      } catch (error) {
        if (!(error instanceof RpcError)) throw error;
        if (error.fault === "limit") chooseFewer(client, error, true);
        return null;
      }
    }),
  );
  const heard = opinions.filter((opinion) => opinion !== null);
  if (heard.length === 0) throw new RpcError("unavailable", "-", "no node tells which blocks are still there");
  return heard;
}

/**
 * The cursor on the last block read that is still there; null while the nodes differ, or lag.
 * @throws {RpcError} `config` when what was final is gone: that is no reorg, but another chain
 */
export async function wentBack(client: ChainClient, cursor: Cursor, dispute: Dispute): Promise<Cursor | null> {
  const { marks } = cursor;
  const found = await standings(client, marks, dispute);
  if (found.includes("disputed") || found.at(-1) === "unknown") return null;
  const common = found.lastIndexOf("there");
  if (common === marks.length - 1) return null; // it is there after all
  const oldest = marks[0] as Mark;
  if (common === -1 && oldest.number <= cursor.floor) throw otherHistory(client, oldest);
  // Blocks at and below the floor are not expected to go; where no mark is left, all above it is read once more.
  const scanned = common >= 0 ? Math.max((marks[common] as Mark).number, cursor.floor) : cursor.floor;
  return {
    ...cursor,
    scanned,
    safe: Math.min(cursor.safe, scanned),
    final: Math.min(cursor.final, scanned),
    marks: marks.slice(0, common + 1),
  };
}

/** A node that stands below what was read may lag; it is another chain if it lacks what was final. */
export async function checkHistory(client: ChainClient, cursor: Cursor, latest: number): Promise<void> {
  const old = cursor.marks.findLast(({ number }) => number <= Math.min(latest, cursor.floor));
  if (old === undefined) return;
  const [standing] = await standings(client, [old], { sinceMs: null });
  if (standing === "gone") throw otherHistory(client, old);
}

function otherHistory({ chainId }: ChainClient, mark: Mark): RpcError {
  return new RpcError(
    "config",
    "-",
    `chain ${chainId} has another history than was read before (block ${mark.number} is not ${mark.hash}): rpcUrls lead to another chain, or to a local one that was started anew. Nothing was taken back. Correct rpcUrls, or give Bursar a new directory with --data`,
  );
}
