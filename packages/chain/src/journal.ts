/**
 * What was handed on from blocks that may still go: a page for each block and pass, kept in the table until the block is
 * final for good. It is written before anything is handed on, so that a crash between the two, and then a reorg, leaves
 * no settlement that nobody takes back.
 */
import type { Fact as Item, Json, Key, Store } from "@bursar/core/ports";
import type { EventOf } from "@bursar/events/contract";
import type { Eip3009Key } from "@bursar/events/ids";
import { chunks, type Fact, factOf } from "./scan.ts";

export interface Page extends Key {
  readonly blockNumber: number;
  readonly blockHash: string;
  /** Under which the facts were handed on. */
  readonly seq: number;
  readonly facts: readonly Fact[];
}

/** Facts of one item: a busy block's come on several pages, each far below what an item may hold. */
const FACTS_PER_PAGE = 500;
/** Pages that are read, or deleted, at once. */
const PAGES_AT_ONCE = 200;

const journalPk = (chainId: number): string => `CUR#${chainId}#moved`;

/** Writes facts down under `seq`; durable when it resolves. */
export async function writeDown(
  store: Pick<Store, "putAll">,
  chainId: number,
  facts: readonly Fact[],
  seq: number,
): Promise<void> {
  const blocks = new Map<string, Fact[]>();
  for (const fact of facts) blocks.set(fact.blockHash, [...(blocks.get(fact.blockHash) ?? []), fact]);
  const puts = [...blocks].flatMap(([blockHash, own]) =>
    chunks(own, FACTS_PER_PAGE).map((some, part) => {
      const { at, blockNumber } = some[0] as Fact;
      const sk = `${sortOf(blockNumber)}#${blockHash}#${seq}#${part}`;
      const kept: Kept = { chainId, asset: assetOf(some[0] as Fact), at, seq, moves: some.map(moveOf) };
      return { pk: journalPk(chainId), sk, data: kept as unknown as Json };
    }),
  );
  if (puts.length > 0) await store.putAll(puts);
}

/** The pages of a range of blocks, both ends included. */
export async function pagesOf(
  store: Pick<Store, "facts">,
  chainId: number,
  fromBlock: number,
  toBlock: number,
): Promise<Page[]> {
  const pages: Page[] = [];
  // Behind the sort of a block stands "#": what follows it begins with the block's first page.
  let after: string | null = sortOf(fromBlock);
  while (after !== null) {
    const part: Awaited<ReturnType<Store["facts"]>> = await store.facts(journalPk(chainId), "", {
      after,
      limit: PAGES_AT_ONCE,
    });
    for (const page of part.items.map(pageOf)) {
      if (page.blockNumber > toBlock) return pages;
      pages.push(page);
    }
    after = part.next;
  }
  return pages;
}

/** Deletes every page up to a block; answers whether any is left there. */
export async function forget(store: Pick<Store, "facts" | "drop">, chainId: number, upTo: number): Promise<boolean> {
  const { items } = await store.facts(journalPk(chainId), "", { limit: PAGES_AT_ONCE });
  const old = items.filter(({ sk }) => sk < sortOf(upTo + 1));
  if (old.length > 0) await store.drop(old);
  return old.length === PAGES_AT_ONCE;
}

/** One log in one block: the same log in another block is another. */
export function logKey({ blockHash, logIndex }: { readonly blockHash: string; readonly logIndex: number }): string {
  return `${blockHash}:${logIndex}`;
}

/** The event that takes a fact back; `at` is when that was found. */
export function orphanedEvent(chainId: number, fact: Fact, seq: number, at: string): EventOf<"chain.orphaned"> {
  const { txHash, logIndex, blockHash } = fact;
  const payment =
    fact.type === "chain.settled" ? fact.payment : { method: "transfer" as const, chainId, txHash, logIndex };
  const id = `orphaned:${chainId}:${blockHash}:${logIndex}`;
  return { type: "chain.orphaned", id, at, payment, txHash, logIndex, blockHash, seq };
}

const sortOf = (blockNumber: number): string => String(blockNumber).padStart(14, "0");

/** A page as it is kept: what its facts share stands once. */
interface Kept {
  readonly chainId: number;
  readonly asset: string;
  readonly at: string;
  readonly seq: number;
  readonly moves: readonly Move[];
}

/** A null nonce is a transfer without an authorization. */
type Move = readonly [
  nonce: string | null,
  payer: string,
  payee: string,
  amount: string,
  txHash: string,
  logIndex: number,
  sharedBy: number,
];

function moveOf(fact: Fact): Move {
  const { payee, amount, txHash, logIndex } = fact;
  if (fact.type === "chain.transferred") return [null, fact.payer, payee, amount, txHash, logIndex, 1];
  const { payer, nonce } = fact.payment as Eip3009Key;
  return [nonce, payer, payee, amount, txHash, logIndex, fact.sharedBy];
}

const assetOf = (fact: Fact): string =>
  fact.type === "chain.transferred" ? fact.asset : (fact.payment as Eip3009Key).asset;

function pageOf({ pk, sk, data }: Item): Page {
  const { chainId, asset, at, seq, moves } = data as unknown as Kept;
  const [sort = "", blockHash = ""] = sk.split("#");
  const blockNumber = Number(sort);
  const facts = moves.map(([nonce, payer, payee, amount, txHash, logIndex, sharedBy]) =>
    factOf({ chainId, asset, at, blockNumber, blockHash, nonce, payer, payee, amount, txHash, logIndex, sharedBy }),
  );
  return { pk, sk, seq, facts, blockNumber, blockHash };
}
