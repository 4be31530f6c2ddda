/** What tests of the watcher share: a table of its own for each, and payers that no other has. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Store } from "@bursar/core/ports";
import type { Devnet } from "@bursar/demo/devnet";
import { openLmdbStore } from "@bursar/store/lmdb";
import { afterEach, beforeEach } from "vitest";

/** The table of the test that runs; opened before each, and gone after it. */
export function tablesForTests(): () => Store {
  let directory: string;
  let store: Store;
  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), "bursar-chain-"));
    store = await openLmdbStore(directory);
  });
  afterEach(async () => {
    await store.close();
    rmSync(directory, { recursive: true });
  });
  return () => store;
}

export interface Payer {
  readonly account: ReturnType<Devnet["account"]>;
  /** Lower case. */
  readonly address: string;
}

/** Makes payers with USDC, each with an account of its own. */
export function payersOn(devnet: () => Devnet): (amount?: bigint) => Promise<Payer> {
  let next = 0;
  return async (amount = 1_000_000n) => {
    const account = devnet().account(next++);
    await devnet().fund(account.address, amount);
    return { account, address: account.address.toLowerCase() };
  };
}
