/**
 * Makes the local chain's blocks from here. Anvil's own clock would do, but with blocks faster than one in two seconds
 * it keeps the states of 1,500 of them whatever it is told: gigabytes after an hour of payments.
 */
export interface BlockClock {
  stop(): void;
}

/** Asks for a block every `seconds`; one that is slow is waited for, one that fails is the next one's matter. */
export function startBlockClock(rpcUrl: string, seconds: number): BlockClock {
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "evm_mine", params: [] });
  const ending = new AbortController();
  let under = false;
  const timer = setInterval(() => {
    if (under) return;
    under = true;
    void fetch(rpcUrl, { method: "POST", headers: { "content-type": "application/json" }, body, signal: ending.signal })
      .then((response) => response.arrayBuffer())
      .catch(() => {})
      .finally(() => {
        under = false;
      });
  }, seconds * 1000);
  timer.unref();
  return {
    stop() {
      clearInterval(timer);
      ending.abort();
    },
  };
}
