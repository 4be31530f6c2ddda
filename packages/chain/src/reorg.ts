/**
 * Whether blocks that were read are still on the chain, by the word of every node that can be asked: one node that lags,
 * or was left on a branch that the others have given up, takes nothing back.
 */
import { isQuantity, parseBlock, type RawBlock } from "./block.ts";
import { askOne, type ChainClient, complainOf, type Endpoint, inOrder } from "./client.ts";
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
/** Blocks asked for in one batch. */
const BLOCKS_PER_BATCH = 50;

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
  const found: Standing[] = [];
  const differing = new Set<Endpoint>();
  let isDisputed = false;
  const needed = Math.min(2, client.endpoints.length);
  for (const part of chunks(marks, BLOCKS_PER_BATCH)) {
    const opinions = await askEveryone(client, part);
    for (const [index, mark] of part.entries()) {
      const standing = standingOf(mark, index, opinions, needed);
      found.push(standing);
      if (standing !== "disputed") continue;
      isDisputed = true;
      for (const { endpoint, hashes } of opinions)
        if (hashes[index] !== null && hashes[index] !== mark.hash) differing.add(endpoint);
    }
  }
  for (const endpoint of differing) complainOf(client, endpoint);
  if (!isDisputed) {
    if (found.length > 0) dispute.sinceMs = null;
    return found;
  }
  const now = client.clock();
  dispute.sinceMs ??= now;
  if (now - dispute.sinceMs < DISPUTE_MS) return found;
  const opinions = await askEveryone(client, marks.slice(-BLOCKS_PER_BATCH));
  const [furthest] = [...opinions].sort((a, b) => b.latest - a.latest);
  const offset = marks.length - Math.min(marks.length, BLOCKS_PER_BATCH);
  return found.map((standing, index) =>
    standing !== "disputed" || furthest === undefined || index < offset
      ? standing
      : standingOf(marks[index] as Mark, index - offset, [furthest], 1),
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
  const calls = [{ method: "eth_blockNumber", params: [] }, ...marks.map((mark) => blockByNumber(mark.number))];
  const opinions = await Promise.all(
    inOrder(client).map(async (endpoint): Promise<Opinion | null> => {
      try {
        const [latest, ...blocks] = await askOne(client, endpoint, calls);
        const hashes = blocks.map((raw) => (raw === null ? null : parseBlock(raw as RawBlock, endpoint.host).hash));
        return { endpoint, latest: isQuantity(latest) ? Number(latest) : 0, hashes };
      } catch (error) {
        if (error instanceof RpcError) return null;
        throw error;
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
  // Deeper than anything remembered: all that may go is read once more.
  const scanned = common >= 0 ? (marks[common] as Mark).number : Math.min(cursor.floor, oldest.number - 1);
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
