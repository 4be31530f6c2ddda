/** What people order of the chain's watcher: a round now, and a past to be read. */
import { address, canonicalTime } from "@bursar/events/scalars";
import { clean } from "@bursar/events/text";
import { type Fields, type OrderAnswer, refuse, type Taken, takenOf } from "./order.ts";
import type { Watcher } from "./watcher.ts";

export interface ChainOrdersParts {
  /** Null where no chain is watched, or not yet. */
  readonly watcher: () => Watcher | null;
  /** Whether a wallet, lower case, is governed. */
  readonly isGoverned: (wallet: string) => boolean;
  /** A line for whoever watches the machine. */
  readonly notice: (message: string) => void;
}

export function createChainOrders({ watcher, isGoverned, notice }: ChainOrdersParts): Taken {
  /** `{}` */
  async function watch(): Promise<OrderAnswer> {
    const watching = watcher();
    if (watching === null) return unwatched();
    try {
      return { done: await watching.round() };
    } catch (error) {
      return refuse("chain", `the chain cannot be read: ${(error as Error).message}`, 409);
    }
  }

  /** `{ from, wallets? }`: `from` a block's number or a time; all wallets where none are named. */
  async function backfill(given: Fields): Promise<OrderAnswer> {
    const watching = watcher();
    if (watching === null) return unwatched();
    const from = fromOf(given.from);
    if (from === null)
      return refuse("from", 'from must be a block number, or a time with an offset, like "2026-11-20T00:00:00Z"');
    const wallets = walletsOf(given.wallets);
    if (typeof wallets === "string") return refuse("wallets", wallets);
    const stranger = wallets?.find((wallet) => !isGoverned(wallet));
    if (stranger !== undefined)
      return refuse("wallets", `${stranger} is no governed wallet: see bursar wallets, and agents in the config`, 404);
    try {
      const job = await watching.backfill(from, wallets);
      if (job === null) {
        const read = watching.standing()?.scanned;
        return refuse(
          "from",
          `there is nothing to read again from there: ${read === undefined ? "no block was read yet" : `the last block read is ${read}`}`,
          409,
        );
      }
      notice(
        `a backfill was ordered: blocks ${job.next} to ${job.to} of ${wallets === null ? "all wallets" : wallets.join(", ")} are being read`,
      );
      return { done: { fromBlock: job.next, toBlock: job.to, wallets } };
    } catch (error) {
      return refuse("chain", `the chain cannot be read: ${(error as Error).message}`, 409);
    }
  }

  return takenOf({ watch, backfill });
}

function fromOf(from: unknown): number | Date | null {
  if (typeof from === "number") return Number.isSafeInteger(from) && from >= 0 ? from : null;
  const time = typeof from === "string" ? canonicalTime(from) : null;
  return time === null ? null : new Date(time);
}

/** Lower case; null for all of them; in words where one is none. */
function walletsOf(wallets: unknown): readonly string[] | null | string {
  if (wallets === undefined || wallets === null) return null;
  if (!Array.isArray(wallets) || wallets.length === 0 || wallets.length > WALLETS_MAX)
    return `wallets must be a list of 1 to ${WALLETS_MAX} addresses`;
  const found = new Set<string>();
  for (const wallet of wallets) {
    const parsed = address.safeParse(wallet);
    if (!parsed.success) return `"${clean(String(wallet), 60)}" is no address: 0x and 40 hex digits`;
    found.add(parsed.data);
  }
  return [...found];
}

/** One call of the node's. */
const WALLETS_MAX = 250;

const unwatched = (): OrderAnswer =>
  refuse("not_watched", "no chain is watched: name an RPC URL in chains[0].rpcUrls, see bursar doctor", 409);
