/** Reading what comes in pages to its end. */
import type { Fact, IndexName, Store, Stored } from "./ports.ts";

/** The facts of one partition whose sk starts with `prefix` and stands behind `after`. */
export async function* eachFact(
  store: Store,
  pk: string,
  prefix: string,
  after: string | null = null,
): AsyncGenerator<Fact, undefined> {
  let next = after;
  do {
    const page: Awaited<ReturnType<Store["facts"]>> = await store.facts(pk, prefix, { after: next });
    yield* page.items;
    next = page.next;
  } while (next !== null);
}

/** The entries of one index partition, ascending. */
export async function* eachEntry(
  store: Store,
  name: IndexName,
  partition: string,
  range: { readonly from?: string; readonly limit?: number } = {},
): AsyncGenerator<Stored, undefined> {
  let after: string | null = null;
  do {
    const page: Awaited<ReturnType<Store["index"]>> = await store.index(name, partition, { ...range, after });
    yield* page.items;
    after = page.next;
  } while (after !== null);
}

/** All of them, as a list. */
export async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}
