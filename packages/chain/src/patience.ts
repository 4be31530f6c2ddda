/** Asking again where a node only fails for now: another node first, later and later. For reading that nobody waits for. */
import { type ChainClient, complainOfLast } from "./client.ts";
import { RpcError } from "./rpc-error.ts";

const TRIES_MAX = 5;
const PAUSE_MS = 250;

export type Wait = (milliseconds: number) => Promise<void>;

/** What `ask` answers, at the latest at its fifth try. @throws {RpcError} of the last try, or at once for a wrong config */
export async function patiently<T>(client: ChainClient, wait: Wait, ask: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof RpcError) || error.fault === "config" || tries === TRIES_MAX) throw error;
      complainOfLast(client);
      await wait(Math.max(PAUSE_MS * 2 ** (tries - 1), error.retryAfterMs ?? 0));
    }
  }
}
