/** The chain's watcher in this process: which wallets it watches, what it is asked to close, how it is doing. */
import { addBackfill } from "@bursar/chain/backfill";
import { firstBlockAt } from "@bursar/chain/block-at";
import { type ChainClient, createChainClient, healthOf, type NodeHealth } from "@bursar/chain/client";
import type { Backfill } from "@bursar/chain/cursor";
import { readLatest } from "@bursar/chain/heads";
import { type Fact, paymentOf } from "@bursar/chain/scan";
import type { Candidates } from "@bursar/chain/stragglers";
import type { WatchedWallet } from "@bursar/chain/wallets";
import type { Round } from "@bursar/chain/watch";
import { startWatching, type Watching } from "@bursar/chain/watch-loop";
import { lackingLogs } from "@bursar/core/chain-known";
import type { Store } from "@bursar/core/ports";
import type { Told } from "@bursar/events/envelope";
import { parsePaymentId, paymentId } from "@bursar/events/ids";
import type { Overview } from "./overview.ts";

export interface WatcherParts {
  readonly rpcUrls: readonly string[];
  readonly intervalMs: number | undefined;
  readonly startBlock: number | undefined;
  readonly store: Store;
  /** The wallets that somebody owns for sure, lower case. */
  readonly owned: () => readonly string[];
  readonly chainId: number;
  readonly asset: string;
  readonly overview: Overview;
  /** The newest block that is known, null before the first. */
  readonly latest: () => number | null;
  readonly now: () => string;
  readonly tell: (told: readonly Told[]) => Promise<void>;
  /** `kind`: the nodes stand behind what was read, or the chain cannot be read at all. */
  readonly onFault: (message: string | null, kind?: "lagging" | "unreadable") => void;
  /** After each round; the next one waits for it. */
  readonly onRound?: ((round: Round, client: ChainClient) => Promise<void> | void) | undefined;
  /** How long the node may stand behind what was read before that is a fault. Default 15,000. */
  readonly laggingMs?: number | undefined;
}

export interface Watcher {
  /** Blocks still unread; null before the first round. */
  behind(): number | null;
  /** How the chain is watched; null before the first round. */
  standing(): ChainStanding | null;
  /** Does a round now. @throws what the round throws */
  round(): Promise<ChainStanding & Pick<RoundFigures, "events" | "limited">>;
  /** Queues the blocks from `from` (a number, or the first of a time) on to be read; null where none was read yet. */
  backfill(from: number | Date, wallets: readonly string[] | null): Promise<Backfill | null>;
  stop(): Promise<void>;
}

/** How the chain is watched, as of the last round. */
export interface ChainStanding {
  readonly id: number;
  readonly latest: number;
  readonly safe: number;
  readonly final: number;
  /** Last block read. */
  readonly scanned: number;
  /** Blocks still to be read, `backfilling` of them of the past. */
  readonly behind: number;
  readonly backfilling: number;
  readonly lagging: boolean;
  readonly nodes: readonly NodeHealth[];
  /** Claimed hashes without a receipt: waiting in a mempool, or unknown to the node. */
  readonly waiting: { readonly [txHash: string]: "pending" | "unknown" };
  /** JSON-RPC calls since the start, and the HTTP requests that carried them. */
  readonly sent: { readonly calls: number; readonly requests: number };
}

interface RoundFigures {
  /** Facts that it handed on. */
  readonly events: number;
  /** The node's refusal that cut it short. */
  readonly limited: string | null;
}

/** Arbitrum is asked once in two seconds: of more payments one round costs no more calls. */
const INTERVAL_MS = 2_000;
/** Arbitrum's blocks come every 250 ms; half a minute more for clocks that differ. */
const BLOCK_MS = 250;
const MARGIN_MS = 30_000;
/** How far back an agent's own word has a wallet's past read. */
const PAST_MS = 24 * 3_600_000;
/** A claimed hash is asked for when the logs had time to show it: some rounds, and no less than so long. */
const GRACE_ROUNDS = 3;
const GRACE_MS = 5_000;
/** A chain that is asked more often than once a second is a local one: its heads move as fast. */
const HEADS_ROUNDS = 8;
const HEADS_MS = 20_000;
/** A node may be behind another for a while; one that stays behind is a fault. */
const LAGGING_MS = 15_000;

/** @throws {RpcError} for URLs that are none */
export function startWatcher(parts: WatcherParts): Watcher {
  const { rpcUrls, intervalMs = INTERVAL_MS, startBlock, store, owned, chainId, asset, overview, latest } = parts;
  const { now, tell, onFault, laggingMs } = parts;
  const client = createChainClient({ chainId, rpcUrls });
  const graceMs = Math.max(GRACE_MS, GRACE_ROUNDS * intervalMs);
  let last: Round | null = null;
  let laggingSince: number | null = null;

  /**
   * A wallet is heard of when it has signed, and that may have settled by then: its past is read too, of a day at most,
   * for when it signed is the agent's own word. Before a head is known nobody can say where that past begins.
   */
  function wallets(): WatchedWallet[] {
    const head = latest();
    const own = owned().map((address) => ({ address }));
    if (head === null) return own;
    const claimed = [...overview.wallets()].map(([address, { since }]) => {
      const age = Math.min(PAST_MS, Math.max(0, Date.parse(now()) - Date.parse(since))) + MARGIN_MS;
      return { address, fromBlock: Math.max(0, head - Math.ceil(age / BLOCK_MS)) };
    });
    return [...own, ...claimed];
  }

  /** Where a table that has read nothing begins: where the chain was when this began, if no node answered for a while. */
  const startedAtMs = Date.parse(now());
  function firstBlock(newest: number): number {
    const waitedMs = Date.parse(now()) - startedAtMs;
    return waitedMs < MARGIN_MS ? newest : Math.max(0, newest - Math.ceil((waitedMs + MARGIN_MS) / BLOCK_MS));
  }

  /** What the logs have not closed. */
  function candidates(): Candidates {
    const nowMs = Date.parse(now());
    const expiring: Candidates["expiring"][number][] = [];
    const hashes: Candidates["hashes"][number][] = [];
    for (const [id, { validBefore, hashes: claimed }] of overview.open()) {
      const payment = parsePaymentId(id);
      if (payment?.method !== "eip3009" || payment.chainId !== chainId) continue;
      if (validBefore !== null && BigInt(validBefore) * 1000n <= BigInt(nowMs)) expiring.push({ payment, validBefore });
      for (const { txHash, at } of claimed)
        if (Date.parse(at) + graceMs <= nowMs) hashes.push({ txHash, payer: payment.payer });
    }
    return { expiring, hashes };
  }

  /** Asked of a past that the journal does not reach: the table has it, or not. */
  const lacking = (facts: readonly Fact[]) => lackingLogs(store, facts, (fact) => paymentId(paymentOf(fact)));

  function standingOf(round: Round): ChainStanding {
    const { latest: newest, safe, final } = round.heads;
    return {
      id: chainId,
      latest: newest.number,
      safe: safe.number,
      final: final.number,
      scanned: round.scanned,
      behind: round.behind,
      backfilling: round.backfilling,
      lagging: round.lagging,
      nodes: healthOf(client),
      waiting: Object.fromEntries(watching.memory.stragglers.waiting),
      sent: { ...client.sent },
    };
  }

  const watching: Watching = startWatching(
    {
      client,
      store,
      asset,
      wallets,
      candidates,
      startBlock: startBlock ?? firstBlock,
      emit: (events) => tell(events),
      lacking,
      now,
      holder: "one machine", // the table has one writer: its lock keeps others out, and a restart goes on at once
      headsMs: intervalMs < 1_000 ? intervalMs * HEADS_ROUNDS : HEADS_MS,
    },
    {
      intervalMs,
      async onRound(round) {
        last = round;
        await parts.onRound?.(round, client);
        laggingSince = round.lagging ? (laggingSince ?? performance.now()) : null;
        const { limited } = round;
        if (laggingSince === null)
          onFault(
            limited === null || limited.fault === "limit" ? null : `the chain is read in part: ${limited.message}`,
          );
        else if (performance.now() - laggingSince >= (laggingMs ?? LAGGING_MS)) onFault(standstill(round), "lagging");
      },
      onError: (error) => onFault(`the chain cannot be read: ${(error as Error).message}`, "unreadable"),
    },
  );
  return {
    behind: () => last?.behind ?? null,
    standing: () => (last === null ? null : standingOf(last)),
    async round() {
      const round = await watching.round();
      return { ...standingOf(round), events: round.events, limited: round.limited?.message ?? null };
    },
    async backfill(from, wanted) {
      const block = typeof from === "number" ? from : await blockAt(client, from);
      return block === null ? null : addBackfill(store, chainId, block, wanted);
    },
    stop: () => watching.stop(),
  };
}

/** The first block of a time; null where the chain is not so far. */
async function blockAt(client: ChainClient, time: Date): Promise<number | null> {
  return firstBlockAt(client, Math.ceil(time.getTime() / 1000), await readLatest(client));
}

/** A chain that was started anew stands below what was read of the old one, and no error says so. */
function standstill({ heads, scanned }: Round): string {
  const { number } = heads.latest;
  return number < scanned
    ? `the chain stands still: the node's newest block is ${number} and ${scanned} was read before. It lags, or its chain was started anew: then give Bursar a new directory with --data`
    : `the chain stands still: the node names block ${number} and cannot show what is in the blocks after ${scanned}`;
}
