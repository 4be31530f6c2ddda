/** The LMDB adapter: the contract in each of its modes, and what only a file on a disk can suffer. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openLmdbStore } from "../src/lmdb.ts";
import { storeContract } from "./contract.ts";

for (const [name, options] of [
  ["LMDB", {}],
  ["LMDB, flushed late", { durability: "flush" }],
  ["LMDB, hardly any memory", { cacheItems: 2 }],
  ["LMDB, flushed often, hardly any memory", { durability: "flush", cacheItems: 2, groupWrites: 3 }],
] as const) {
  storeContract(name, async () => {
    const directory = mkdtempSync(join(tmpdir(), "bursar-store-"));
    const store = await openLmdbStore(directory, options);
    return { store, dispose: async () => rmSync(directory, { recursive: true, force: true }) };
  });
}
