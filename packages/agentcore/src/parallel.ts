/** Bounded parallelism. */

/**
 * What `work` gives for each, in their order, at most `width` at once. Stops starting more at the first error, waits
 * for those under way, and throws it.
 */
export async function mapInParallel<T, R>(
  items: readonly T[],
  width: number,
  work: (item: T) => Promise<R>,
): Promise<readonly R[]> {
  const results: R[] = new Array(items.length);
  const errors: unknown[] = [];
  let next = 0;
  async function run(): Promise<void> {
    while (next < items.length && errors.length === 0) {
      const index = next;
      next += 1;
      try {
        results[index] = await work(items[index] as T);
      } catch (error) {
        errors.push(error);
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, run));
  if (errors.length > 0) throw errors[0];
  return results;
}
