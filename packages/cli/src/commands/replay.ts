/** `bursar replay`: a file of events through the same steps, over a table that is thrown away. */
import { createReadStream, type ReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { replay } from "@bursar/core/replay";
import { openLmdbStore } from "@bursar/store/lmdb";
import type { Input } from "../args.ts";
import { loadConfig } from "../config-file.ts";
import { CommandError, EXIT, UsageError } from "../errors.ts";
import { type Io, printLines, printLists } from "../io.ts";
import { linesOf } from "../lines.ts";
import { makeScratch } from "../scratch.ts";
import { createProgress } from "../terminal/progress.ts";
import { replaySummary } from "../terminal/replay-summary.ts";

/** Bytes read at a time; lines are decoded block by block. */
const BLOCK_BYTES = 1 << 20;

export async function run(input: Input, io: Io): Promise<number> {
  const [file] = input.positionals;
  if (file === undefined) {
    throw new UsageError("Name the file of events: bursar replay FILE.ndjson, or - to read them from a pipe.");
  }
  const now = timeOf(input.text("now"));
  if (file === "-" && io.in.isTTY === true) {
    throw new UsageError(
      "bursar replay - reads events from a pipe, and there is none: cat FILE.ndjson | bursar replay -",
    );
  }
  const { config } = await loadConfig(input.text("config"), io.cwd);
  const size = file === "-" ? null : await sizeOf(file);

  const scratch = makeScratch();
  const progress = createProgress(io, size);
  const started = performance.now();
  try {
    const store = await openLmdbStore(join(scratch.directory, "store"), {
      durability: "flush",
      feedLength: 0,
      groupWrites: 32_768,
    });
    try {
      let bytesRead = 0;
      let eventsTaken = 0;
      const source: AsyncIterable<Uint8Array> =
        file === "-"
          ? (io.in as AsyncIterable<Uint8Array>)
          : reading(createReadStream(file, { highWaterMark: BLOCK_BYTES }), file);
      const lines = linesOf(source, (bytes) => {
        bytesRead = bytes;
      });
      const replayed = await replay(store, config, lines, {
        ...(now === null ? {} : { now }),
        onProgress: (events) => {
          eventsTaken = events;
          progress.show(bytesRead, events);
        },
      });
      progress.clear();
      const { payments, budgets, alerts, actions, quarantined } = replayed;
      if (input.flag("json")) await printLists(io, { payments, budgets, alerts, actions, quarantined });
      else {
        const seconds = (performance.now() - started) / 1000;
        printLines(io, replaySummary({ replayed, events: eventsTaken, seconds, file }, io.screen()));
      }
      return EXIT.done;
    } finally {
      progress.clear();
      await store.close();
    }
  } finally {
    scratch.remove();
  }
}

/** @throws {UsageError} for what is no ISO-8601 time with an offset */
function timeOf(text: string | null): string | null {
  if (text === null) return null;
  const match = /^(\d{4})-(\d\d)-(\d\d)(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d))?$/i.exec(text);
  const time = new Date(text);
  const isDay =
    match !== null && Number(match[3]) <= new Date(Date.UTC(Number(match[1]), Number(match[2]), 0)).getUTCDate();
  if (!isDay || Number.isNaN(time.getTime())) {
    throw new UsageError(`--now is "${text}": give an ISO-8601 time with its offset, like 2026-11-20T10:01:00.000Z.`);
  }
  return time.toISOString();
}

/** @throws {CommandError} for a file that is not there, is a directory, or may not be read; null where a pipe has no size */
async function sizeOf(file: string): Promise<number | null> {
  const status = await stat(file).catch((error: NodeJS.ErrnoException) => {
    throw unreadable(file, error);
  });
  if (status.isDirectory()) {
    throw new CommandError(
      `${file} is a directory: name one file of events, or join several: cat ${file}/*.ndjson | bursar replay -`,
    );
  }
  return status.isFile() ? status.size : null;
}

async function* reading(stream: ReadStream, file: string): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of stream) yield chunk as Uint8Array;
  } catch (error) {
    throw unreadable(file, error as NodeJS.ErrnoException);
  }
}

function unreadable(file: string, error: NodeJS.ErrnoException): CommandError {
  const why: { readonly [code: string]: string } = {
    ENOENT: "there is no such file",
    EACCES: "this user may not read it",
    EPERM: "this user may not read it",
    ENOTDIR: "a part of its path is no directory",
    ENAMETOOLONG: "its name is longer than the file system takes",
  };
  return new CommandError(`${file} cannot be read: ${why[error.code ?? ""] ?? error.message}.`);
}
