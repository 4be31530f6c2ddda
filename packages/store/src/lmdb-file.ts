/**
 * Looks at LMDB's data file before LMDB does: it maps the file into memory and trusts it, so a file that is not its own,
 * or shorter than it says, would kill the process instead of throwing.
 */
import { spawnSync } from "node:child_process";
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { StoreError } from "./error.ts";

/** mdb.c of lmdb 3.5: a page header of 24 bytes, then MDB_meta. */
const MAGIC = 0xbeefc0de;
const DATA_VERSION = 2;
const META = { magic: 24, version: 28, pageSize: 48, lastPage: 144, txn: 152, bytes: 168 } as const;

/**
 * False where there is no data file yet.
 * @throws {StoreError} `corrupt` for a file that LMDB cannot have left so
 */
export function checkDataFile(directory: string): boolean {
  const file = join(directory, "data.mdb");
  let handle: number;
  try {
    handle = openSync(file, "r");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw error;
  }
  try {
    const size = fstatSync(handle).size;
    if (size === 0) return false; // made, but the first page was never written
    const first = metaAt(handle, 0);
    if (first === null) throw corrupt(file, "does not start like an LMDB file");
    const { pageSize } = first;
    if (pageSize < 256 || pageSize > 65_536 || (pageSize & (pageSize - 1)) !== 0)
      throw corrupt(file, `has pages of ${pageSize} bytes`);
    const second = metaAt(handle, pageSize);
    if (second === null || second.pageSize !== pageSize) throw corrupt(file, "has lost its second header");
    const newest = first.txn > second.txn ? first : second;
    const expected = (newest.lastPage + 1n) * BigInt(pageSize);
    // LMDB may leave freed pages at the end unwritten, so a short file is only a suspicion: let another process die.
    if (BigInt(size) < expected && !isReadable(directory)) {
      throw corrupt(file, `is cut off: it has ${size} of ${expected} bytes`);
    }
    return true;
  } finally {
    closeSync(handle);
  }
}

export function corrupt(file: string, how: string, cause?: unknown): StoreError {
  return new StoreError(
    "corrupt",
    `${file} ${how}: restore the directory from a backup, or move it away to start empty (on one machine the events can be replayed)`,
    cause,
  );
}

function metaAt(handle: number, position: number): { pageSize: number; lastPage: bigint; txn: bigint } | null {
  const page = Buffer.alloc(META.bytes);
  if (readSync(handle, page, 0, META.bytes, position) < META.bytes) return null;
  if (page.readUInt32LE(META.magic) !== MAGIC || (page.readUInt32LE(META.version) & 0xffff) !== DATA_VERSION)
    return null;
  return {
    pageSize: page.readUInt32LE(META.pageSize),
    lastPage: page.readBigUInt64LE(META.lastPage),
    txn: page.readBigUInt64LE(META.txn),
  };
}

const WALK = `
const { open } = require(process.argv[1]);
const db = open({ path: process.argv[2], noSubdir: false, readOnly: true, keyEncoding: "binary", encoding: "binary" });
let entries = 0;
for (const { key, value } of db.getRange({})) if (key.length + value.length > 0) entries += 1;
process.exit(entries === db.getStats().entryCount ? 0 : 1);
`;

/** Reads every entry in a process that may die of it. Where pages are missing, a walk may also end early. */
function isReadable(directory: string): boolean {
  const lmdb = createRequire(import.meta.url).resolve("lmdb");
  return spawnSync(process.execPath, ["-e", WALK, lmdb, directory], { stdio: "ignore" }).status === 0;
}
