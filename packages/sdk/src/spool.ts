/**
 * Events on disk while the bus is away: immutable NDJSON files, one source each, written whole under a temporary name
 * and renamed. Processes share a directory by renaming a file before they read it; who dies with a claim loses it to
 * the next after a minute. A file may be sent twice (ids make that harmless), never lost half-way.
 *
 *     <source>~<time>-<sequence>-<writer>.ndjson             waits
 *     <source>~<time>-<sequence>-<writer>.ndjson.<reader>    is being sent
 *     <source>~refused.ndjson, <source>~refused.old.ndjson   what can never pass, with the reason
 */
import { randomUUID } from "node:crypto";
import * as fs from "node:fs";
import { join } from "node:path";

export interface Spool {
  /** Appends events, one JSON text each. Returns how many old events went to make room. Throws what the disk throws. */
  write(lines: readonly string[]): number;
  /** Keeps what can never pass. Throws what the disk throws. */
  refuse(lines: readonly string[], reason: string): void;
  /** The oldest file that nobody else reads, or null. Throws what the disk throws. */
  claim(): Claim | null;
}

export interface Claim {
  readonly lines: readonly string[];
  /** Gives back the lines that were not sent, and removes the claimed file. */
  release(unsent: readonly string[]): void;
}

/** A file grows by rewriting up to here; it is read back in one piece. */
const FILE_BYTES = 256 * 1024;
const REFUSED_BYTES = 1024 * 1024;
const CLAIM_STALE_MS = 60_000;

/** A spool of one source in `directory`, which is made when it is first needed. */
export function openSpool(directory: string, source: string, bytesMax: number): Spool {
  const me = randomUUID().slice(0, 8);
  const prefix = `${source}~`;
  let last: { name: string; bytes: number } | null = null;
  let stamp = 0;
  let sequence = 0;

  const path = (name: string) => join(directory, name);
  /** Names sort by time; a clock that steps back does not take the order along. */
  const nextName = () => {
    stamp = Math.max(stamp, Date.now());
    sequence += 1;
    return `${prefix}${String(stamp).padStart(15, "0")}-${String(sequence).padStart(8, "0")}-${me}.ndjson`;
  };
  const list = () =>
    fs
      .readdirSync(directory)
      .filter((name) => name.startsWith(prefix) && !isRefused(name))
      .sort();

  function store(name: string, text: string): void {
    const temporary = path(`.${name}.${me}.tmp`);
    fs.mkdirSync(directory, { recursive: true, mode: 0o700 });
    try {
      fs.writeFileSync(temporary, text, { mode: 0o600 });
      fs.renameSync(temporary, path(name));
    } catch (error) {
      attempt(() => fs.unlinkSync(temporary));
      throw error;
    }
  }

  /** Takes the oldest files until the rest and `coming` bytes fit. */
  function makeRoom(coming: number): number {
    const files = list()
      .filter((name) => name.endsWith(".ndjson"))
      .map((name) => ({ name, bytes: attempt(() => fs.statSync(path(name)).size) ?? 0 }));
    let bytes = files.reduce((sum, file) => sum + file.bytes, coming);
    let lost = 0;
    for (const file of files) {
      if (bytes <= bytesMax) break;
      lost += linesOf(attempt(() => fs.readFileSync(path(file.name), "utf8")) ?? "").length;
      attempt(() => fs.unlinkSync(path(file.name)));
      if (last?.name === file.name) last = null;
      bytes -= file.bytes;
    }
    return lost;
  }

  /** Removes what processes that were killed while writing left half-written. */
  function sweep(): void {
    for (const name of attempt(() => fs.readdirSync(directory)) ?? []) {
      if (!name.startsWith(`.${prefix}`) || !name.endsWith(".tmp")) continue;
      const touched = attempt(() => fs.statSync(path(name)).mtimeMs) ?? Date.now();
      if (Date.now() - touched > CLAIM_STALE_MS) attempt(() => fs.unlinkSync(path(name)));
    }
  }

  return {
    write(lines) {
      const kept = newest(lines, bytesMax);
      if (kept.length === 0) return lines.length;
      const text = `${kept.join("\n")}\n`;
      const bytes = Buffer.byteLength(text);
      fs.mkdirSync(directory, { recursive: true, mode: 0o700 });
      const lost = lines.length - kept.length + makeRoom(bytes);
      if (last !== null && last.bytes + bytes <= FILE_BYTES) {
        const { name } = last;
        // Gone when another process claimed it: then what is new starts the name afresh.
        const before = attempt(() => fs.readFileSync(path(name), "utf8")) ?? "";
        store(name, before + text);
        last = { name, bytes: Buffer.byteLength(before) + bytes };
      } else {
        const name = nextName();
        store(name, text);
        last = { name, bytes };
      }
      return lost;
    },

    refuse(lines, reason) {
      fs.mkdirSync(directory, { recursive: true, mode: 0o700 });
      const name = path(`${prefix}refused.ndjson`);
      const size = attempt(() => fs.statSync(name).size) ?? 0;
      if (size > REFUSED_BYTES) fs.renameSync(name, path(`${prefix}refused.old.ndjson`));
      const at = new Date().toISOString();
      const text = lines.map((event) => `${JSON.stringify({ at, reason, event })}\n`).join("");
      fs.appendFileSync(name, text, { mode: 0o600 });
    },

    claim() {
      const names = attempt(list) ?? [];
      for (const name of names) {
        const claimed = !name.endsWith(".ndjson");
        const age = claimed ? Date.now() - (attempt(() => fs.statSync(path(name)).mtimeMs) ?? Date.now()) : 0;
        if (claimed && age < CLAIM_STALE_MS) continue;
        const original = claimed ? name.replace(/\.[^.]*$/, "") : name;
        const mine = path(`${original}.${randomUUID().slice(0, 8)}`);
        if (last?.name === name) last = null;
        try {
          fs.renameSync(path(name), mine);
        } catch {
          continue; // another process was faster
        }
        attempt(() => fs.utimesSync(mine, new Date(), new Date()));
        const lines = linesOf(fs.readFileSync(mine, "utf8"));
        return {
          lines,
          release(unsent) {
            // Under a name of its own: the writer may have started the old one afresh.
            const name = `${original.replace(/-[^-]*$/, "")}-${randomUUID().slice(0, 8)}.ndjson`;
            if (unsent.length > 0) store(name, `${unsent.join("\n")}\n`);
            attempt(() => fs.unlinkSync(mine));
          },
        };
      }
      sweep();
      return null;
    },
  };
}

function isRefused(name: string): boolean {
  return /~refused(?:\.old)?\.ndjson$/.test(name);
}

/** The last lines that fit into `bytesMax`. */
function newest(lines: readonly string[], bytesMax: number): readonly string[] {
  let from = lines.length;
  for (let bytes = 0; from > 0; from -= 1) {
    bytes += Buffer.byteLength(lines[from - 1] as string) + 1;
    if (bytes > bytesMax) break;
  }
  return from === 0 ? lines : lines.slice(from);
}

function linesOf(text: string): string[] {
  return text.split("\n").filter((line) => line !== "");
}

function attempt<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch {
    return undefined;
  }
}
