/**
 * Makes the local chain's blocks from here. Anvil's own clock would do, but with blocks faster than one in two seconds
 * it keeps the states of 1,500 of them whatever it is told: gigabytes after an hour of payments.
 */
export interface BlockClock {
  /** Does `work` while no block of this clock is under way, or begins. */
  undisturbed<T>(work: () => Promise<T>): Promise<T>;
  stop(): void;
}

/** Asks for a block every `seconds`; one that is slow is waited for, one that fails is the next one's matter. */
export function startBlockClock(rpcUrl: string, seconds: number): BlockClock {
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "evm_mine", params: [] });
  const ending = new AbortController();
  let under: Promise<void> | null = null;
  let pauses = 0;
  const timer = setInterval(() => {
    if (under !== null || pauses > 0) return;
    const headers = { "content-type": "application/json" };
    under = fetch(rpcUrl, { method: "POST", headers, body, signal: ending.signal })
      .then((response) => response.arrayBuffer())
      .then(() => {})
      .catch(() => {})
      .finally(() => {
        under = null;
      });
  }, seconds * 1000);
  timer.unref();
  return {
    async undisturbed(work) {
      pauses += 1;
      try {
        await under;
        return await work();
      } finally {
        pauses -= 1;
      }
    },
    stop() {
      clearInterval(timer);
      ending.abort();
    },
  };
}
