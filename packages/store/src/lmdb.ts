/**
 * The table in LMDB: embedded, durable, for one machine. One process writes, any number of callers in it; others may
 * open it read-only beside. Writes are applied to memory at once and answered when their group is on disk.
 */
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Store } from "@bursar/core/ports";
import { open } from "lmdb";
import { StoreError } from "./error.ts";
import { META_KEY } from "./lmdb-codec.ts";
import { checkDataFile, corrupt } from "./lmdb-file.ts";
import type { Database } from "./lmdb-groups.ts";
import { takeLock } from "./lmdb-lock.ts";
import { readerOf } from "./lmdb-reader.ts";
import { writerOf } from "./lmdb-writer.ts";

export interface LmdbOptions {
  /**
   * "each" (default): what resolved survives kill -9 and a power cut. "flush": writes resolve when they are in memory,
   * `flush` waits for the disk; for stores that are thrown away. Without a feed such a store makes JSON of an item only
   * when it is flushed, once for many versions; data that is no JSON fails the store then, not the call.
   */
  readonly durability?: "each" | "flush";
  /** Beside a process that writes: sees what that has flushed. */
  readonly readOnly?: boolean;
  /** Changes that the feed keeps; 0 for no feed. Default 10,000. */
  readonly feedLength?: number;
  /** Which items the feed is about, by their pk. Default all. */
  readonly feedOf?: (pk: string) => boolean;
  /** Items that are kept decoded in memory. Default 20,000, tens of megabytes. */
  readonly cacheItems?: number;
  /** Writes after which "flush" starts a flush of its own; twice as many and callers wait. Default 4,096. */
  readonly groupWrites?: number;
}

export interface LmdbStore extends Store {
  /** Resolves when all that was written before the call is durable. */
  flush(): Promise<void>;
}

const FORMAT = "bursar-store 1";

/**
 * Opens the table in `directory`, which is created where it is missing. Items that it returns are shared and must not
 * be changed.
 * @throws {StoreError} `locked`, `missing` (read-only), `foreign`, `corrupt`, `failed` (it takes no writes)
 */
export async function openLmdbStore(directory: string, options: LmdbOptions = {}): Promise<LmdbStore> {
  const readOnly = options.readOnly ?? false;
  if (readOnly && !existsSync(join(directory, "data.mdb"))) {
    throw new StoreError(
      "missing",
      `${directory} holds no data: start bursar with it first, or name the right directory`,
    );
  }
  const release = readOnly ? () => {} : await claim(directory);
  try {
    const exists = checkDataFile(directory);
    if (readOnly && !exists)
      throw new StoreError("missing", `${directory} holds no data yet: start bursar with it first`);
    const db = openDatabase(directory, readOnly);
    try {
      checkFormat(db, directory, readOnly);
      return readOnly ? readerOf(db) : writerOf(db, options, release);
    } catch (error) {
      await db.close();
      throw error;
    }
  } catch (error) {
    release();
    throw error;
  }
}

/** Makes the directory where it is missing, and takes its lock. */
async function claim(directory: string): Promise<() => void> {
  try {
    mkdirSync(directory, { recursive: true });
    return await takeLock(directory);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "EACCES" && code !== "EPERM" && code !== "EROFS" && code !== "ENOSPC") throw error;
    const why = code === "ENOSPC" ? "its disk is full" : "this user may not write there";
    throw new StoreError("failed", `${directory} takes no writes (${why}): make it so, or name another one`, error);
  }
}

function openDatabase(directory: string, readOnly: boolean): Database {
  try {
    return open<string, Buffer>({
      path: directory,
      noSubdir: false, // else lmdb-js takes a directory with a point in its name for a file
      keyEncoding: "binary",
      encoding: "string",
      overlappingSync: false,
      // Groups are batches already; a batch round them has a promise of its own that nobody can catch when a disk is full.
      eventTurnBatching: false,
      readOnly,
    });
  } catch (error) {
    throw corrupt(join(directory, "data.mdb"), "cannot be opened", error);
  }
}

function checkFormat(db: Database, directory: string, readOnly: boolean): void {
  let format: string | undefined;
  let empty: boolean;
  try {
    format = db.get(META_KEY);
    empty = db.getKeysCount({ limit: 1 }) === 0;
  } catch (error) {
    throw corrupt(join(directory, "data.mdb"), "cannot be read", error);
  }
  if (format === FORMAT) return;
  if (format === undefined && empty && !readOnly) {
    db.putSync(META_KEY, FORMAT);
    return;
  }
  throw new StoreError(
    "foreign",
    format?.startsWith("bursar-store ")
      ? `${directory} has the format "${format.slice(0, 40)}" and this version reads "${FORMAT}": use the version of bursar that wrote it`
      : `${directory} holds an LMDB database that is not Bursar's: name another directory`,
  );
}
