/** Purchases that go on until somebody stops them. */

export interface Traffic {
  /** Resolves when `count` purchases are done, or the traffic was stopped. Never rejects. */
  readonly done: Promise<void>;
  /** Begins no purchase more, waits for those under way, and cuts off what takes longer than `graceMs`. */
  stop(graceMs: number): Promise<void>;
}

/** Several as one: done when all of them are, stopped together. */
export function together(parts: readonly Traffic[]): Traffic {
  return {
    done: Promise.all(parts.map(({ done }) => done)).then(() => {}),
    stop: (graceMs) => Promise.all(parts.map((part) => part.stop(graceMs))).then(() => {}),
  };
}

/** What runs until `ending` says so, and is cut off by `cutting`. */
export function trafficOf(done: Promise<void>, ending: AbortController, cutting: AbortController): Traffic {
  return {
    done,
    async stop(graceMs) {
      ending.abort();
      const cut = setTimeout(() => cutting.abort(), graceMs);
      await done;
      clearTimeout(cut);
    },
  };
}
