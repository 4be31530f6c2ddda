/**
 * The durable ingest queue: PutEvents answers when its entries are on disk, the steps take them in order, and they are
 * let go when the table has them. Delivery is at least once: what was taken and not acknowledged is there again after a
 * kill -9. Bounded: when it is full, callers are told to come again, and their SDK spools.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import { cutTorn, frameOf, keepCopy, readSegment } from "./queue-segment.ts";

/** One entry that waits: EventBridge's event `{ id, source, "detail-type", time, detail }`. */
export interface Queued {
  readonly seq: number;
  readonly bytes: number;
  readonly entry: unknown;
}

export interface QueueOptions {
  /** Bytes that may wait, on disk and in memory. Default 64 MB. */
  readonly bytesMax?: number;
  /** Bytes after which a new file is begun. Default 8 MB. */
  readonly segmentBytes?: number;
  /** Told of what a crash has torn off, or a disk has damaged. */
  readonly log?: (line: string) => void;
}

export interface Queue {
  /** Resolves when the entry is durable; null when the queue is full. `text` is the JSON of `entry`. */
  offer(entry: unknown, text: string): Promise<void> | null;
  /** The next entries in order, at most `max`; waits until there is one; empty when woken. */
  take(max: number): Promise<readonly Queued[]>;
  /** Ends the waiting of `take`. */
  wake(): void;
  /** What the table has. In any order; a crash gives at most those again that stand behind one not acknowledged. */
  ack(entries: readonly Queued[]): void;
  /** Entries that are durable, or about to be, and not acknowledged. */
  depth(): number;
  /** Resolves when nothing waits. */
  drained(): Promise<void>;
  /** Takes no more; resolves when what was offered is durable and how far the table is is noted. */
  close(): Promise<void>;
}

interface Segment {
  readonly first: number;
  readonly file: string;
  count: number;
}

interface Offered {
  readonly entry: unknown;
  readonly frame: Buffer;
  readonly done: () => void;
  readonly fail: (error: Error) => void;
}

const ACKED = "acked";
/** How late the note of what is acknowledged may be. It only spares repeats. */
const NOTE_MS = 200;

/** Opens the queue in `directory`, made where it is missing. One process at a time: the store's lock sees to it. */
export async function openQueue(directory: string, options: QueueOptions = {}): Promise<Queue> {
  const { bytesMax = 64 * 1024 * 1024, segmentBytes = 8 * 1024 * 1024, log = () => {} } = options;
  mkdirSync(directory, { recursive: true });
  const found = recover(directory, log);
  let { acked, next } = found;
  const segments = found.segments;
  const ready: Queued[] = found.waiting;
  const unacked = new Map<number, Queued>(ready.map((queued) => [queued.seq, queued]));
  let bytes = ready.reduce((sum, queued) => sum + queued.bytes, 0);
  let offered: Offered[] = [];
  let writing: Promise<void> | null = null;
  let writingCount = 0;
  let tail: { handle: FileHandle; segment: Segment; bytes: number } | null = null;
  let noting: NodeJS.Timeout | null = null;
  let unnoted = false;
  let closing = false;
  let wake = () => {};
  const emptied = new Set<() => void>();

  function startWriting(): void {
    writing ??= flush().finally(() => {
      writing = null;
      // What came when the last group had just been answered.
      if (offered.length > 0) startWriting();
      else settleEmpty();
    });
  }

  async function flush(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve)); // others of this turn join
    while (offered.length > 0) {
      const group = offered;
      offered = [];
      writingCount = group.length;
      try {
        await append(group);
        writingCount = 0;
        for (const { done } of group) done();
      } catch (error) {
        writingCount = 0;
        for (const { frame } of group) bytes -= frame.length;
        const reason = error instanceof Error ? error.message : String(error);
        const fault = new QueueError(
          `entries could not be written to ${directory} (${reason}): see that the disk has room`,
        );
        for (const { fail } of group) fail(fault);
        settleEmpty();
      }
      wake();
    }
  }

  async function append(group: readonly Offered[]): Promise<void> {
    if (tail !== null && tail.bytes >= segmentBytes) {
      await tail.handle.close();
      tail = null;
    }
    tail ??= await begin();
    const length = group.reduce((sum, { frame }) => sum + frame.length, 0);
    try {
      const frames = group.map(({ frame }) => frame);
      const { bytesWritten } = await tail.handle.writev(frames, tail.bytes);
      if (bytesWritten !== length) throw new Error(`${bytesWritten} of ${length} bytes were written`); // a full disk
      await tail.handle.datasync();
    } catch (error) {
      // Half a group must not stand before the next one: what follows goes to a file of its own.
      await tail.handle.truncate(tail.bytes).catch(() => {});
      await tail.handle.close().catch(() => {});
      tail = null;
      throw error;
    }
    tail.bytes += length;
    for (const { entry, frame } of group) {
      const queued = { seq: next, bytes: frame.length, entry };
      next += 1;
      tail.segment.count += 1;
      unacked.set(queued.seq, queued);
      ready.push(queued);
    }
  }

  async function begin(): Promise<NonNullable<typeof tail>> {
    const segment = { first: next, file: join(directory, `${String(next).padStart(16, "0")}.seg`), count: 0 };
    // A crash or a full disk has left one of this name without entries. It is let go of before the file is made anew:
    // a note that tidied it in between would take away the file that acknowledged entries go into.
    if (segments.at(-1)?.first === segment.first) segments.pop();
    const handle = await open(segment.file, "w");
    const place = await open(directory, "r");
    await place.sync().catch(() => {}); // a directory cannot be synced everywhere (Windows)
    await place.close();
    segments.push(segment);
    return { handle, segment, bytes: 0 };
  }

  function note(): void {
    if (noting !== null) clearTimeout(noting);
    noting = null;
    const [lowest = next] = unacked.keys(); // a Map keeps the order of insertion, which is that of seq
    acked = lowest - 1;
    try {
      while (segments.length > 0) {
        const segment = segments[0] as Segment;
        if (segment === tail?.segment || segment.first + segment.count - 1 > acked) break;
        rmSync(segment.file, { force: true });
        segments.shift();
      }
      writeFileSync(join(directory, `${ACKED}.new`), String(acked));
      renameSync(join(directory, `${ACKED}.new`), join(directory, ACKED));
      unnoted = false;
    } catch (error) {
      // A full disk, say. Without the note a restart takes some entries again, which changes nothing.
      if (!unnoted) log(`${directory} cannot be tidied (${(error as Error).message}): see that the disk has room`);
      unnoted = true;
    }
  }

  function settleEmpty(): void {
    if (unacked.size > 0 || offered.length > 0 || writing !== null) return;
    for (const tell of emptied) tell();
    emptied.clear();
  }

  return {
    offer(entry, text) {
      if (closing) return Promise.reject(new QueueError("the machine is stopping"));
      const length = Buffer.byteLength(text) + 8;
      if (bytes + length > bytesMax && bytes > 0) return null;
      bytes += length;
      const durable = new Promise<void>((done, fail) => offered.push({ entry, frame: frameOf(text), done, fail }));
      startWriting();
      return durable;
    },
    async take(max) {
      if (ready.length === 0) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      return ready.splice(0, max);
    },
    wake: () => wake(),
    ack(entries) {
      for (const { seq, bytes: length } of entries) if (unacked.delete(seq)) bytes -= length;
      if (!closing) noting ??= setTimeout(note, NOTE_MS);
      settleEmpty();
    },
    depth: () => unacked.size + writingCount + offered.length,
    async drained() {
      if (unacked.size === 0 && offered.length === 0 && writing === null) return;
      await new Promise<void>((resolve) => emptied.add(resolve));
    },
    async close() {
      closing = true;
      while (writing !== null) await writing;
      note();
      await tail?.handle.close();
      tail = null;
    },
  };
}

/** What an earlier process has left. */
function recover(directory: string, log: (line: string) => void) {
  const acked = readAcked(join(directory, ACKED));
  const segments: Segment[] = [];
  const waiting: Queued[] = [];
  let next = acked + 1;
  const names = readdirSync(directory).filter((name) => /^\d{16}\.seg$/.test(name));
  for (const name of names.sort()) {
    const file = join(directory, name);
    const first = Number(name.slice(0, 16));
    const { payloads, bytes, torn, damaged } = readSegment(file);
    if (damaged > 0) {
      log(
        `${file} is damaged: ${damaged} bytes in it are no entry; ${payloads.length} entries are taken again and the file is kept in ${keepCopy(file, "damaged")}: see that the disk is sound`,
      );
    }
    if (torn > 0) {
      log(`${file} ended in ${torn} bytes that are no entry, torn off by a crash; kept in ${cutTorn(file, bytes)}`);
    }
    segments.push({ first, file, count: payloads.length });
    for (const [i, payload] of payloads.entries()) {
      // Behind damage nobody knows which entry is the how-manieth; taken again they change nothing.
      if (first + i > acked || damaged > 0)
        waiting.push({ seq: first + i, bytes: Buffer.byteLength(payload) + 8, entry: parsed(payload) });
    }
    next = Math.max(next, first + payloads.length);
  }
  return { acked, segments, waiting, next };
}

/** 0 where the note is missing or damaged: then everything that is still here comes again, which changes nothing. */
function readAcked(file: string): number {
  if (!existsSync(file)) return 0;
  const text = readFileSync(file, "utf8");
  return /^\d{1,15}$/.test(text) ? Number(text) : 0;
}

/** A payload with a right checksum that is no JSON cannot be; the parser quarantines what it is given. */
function parsed(payload: string): unknown {
  try {
    return JSON.parse(payload);
  } catch {
    return payload;
  }
}

/** An entry is not durable; the caller must send it again. */
export class QueueError extends Error {
  override readonly name = "QueueError";
}
