/**
 * One process writes a data directory: its cache is the truth, so a second writer would lose payments. The lock is a
 * file that names its process; one that a dead process left behind (kill -9, power cut) is taken over.
 */
import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { StoreError } from "./error.ts";

interface Holder {
  readonly pid: number;
  readonly host: string;
  /** What tells this process from a later one of the same pid; null where the system does not say. */
  readonly started: string | null;
}

const ATTEMPTS_MAX = 10;
/** Looks at a lock without a holder, 20 ms apart, before it counts as left behind. */
const LOOKS = 5;

/**
 * Takes the directory's lock; returns what gives it back.
 * @throws {StoreError} `locked` while another process, or this one, has it
 */
export async function takeLock(directory: string): Promise<() => void> {
  const file = join(directory, "bursar.lock");
  const me: Holder = { pid: process.pid, host: hostname(), started: startOf(process.pid) };
  const mine = JSON.stringify(me);
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
    try {
      writeFileSync(file, mine, { flag: "wx" });
      return () => {
        if (contentOf(file) === mine) rmSync(file, { force: true });
      };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
    const content = contentOf(file);
    if (content === null) continue; // given back in between
    const holder = holderOf(content);
    if (holder === null && attempt < LOOKS) {
      await pause(20); // created, not yet written; or its writer died just then
      continue;
    }
    if (holder !== null && isAlive(holder, me)) throw locked(directory, file, holder, me);
    clearStale(file, content);
  }
  throw new StoreError("locked", `${file} changes hands too often: stop the other bursar processes and start one`);
}

/** Moves a stale lock away, unless another opener has just done so and holds a fresh one. */
function clearStale(file: string, content: string): void {
  const aside = `${file}.${process.pid}`;
  try {
    renameSync(file, aside);
  } catch {
    return; // another opener was first
  }
  const moved = contentOf(aside);
  if (moved !== null && moved !== content) writeFileSync(file, moved, { flag: "wx" });
  rmSync(aside, { force: true });
}

function isAlive(holder: Holder, me: Holder): boolean {
  if (holder.host !== me.host) return true; // nobody here can tell: a person must
  if (holder.pid === me.pid) return holder.started === me.started;
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
  }
  const started = startOf(holder.pid);
  return started === null || holder.started === null || started === holder.started;
}

/** When the system started the process, on Linux: boot id and clock ticks. Pids come again, above all in containers. */
function startOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const ticks = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
    return `${readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim()}/${ticks}`;
  } catch {
    return null;
  }
}

function contentOf(file: string): string | null {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}

function holderOf(content: string): Holder | null {
  try {
    const { pid, host, started } = JSON.parse(content) as Partial<Holder>;
    if (!Number.isSafeInteger(pid) || (pid as number) < 1 || typeof host !== "string") return null;
    return { pid: pid as number, host, started: typeof started === "string" ? started : null };
  } catch {
    return null;
  }
}

function locked(directory: string, file: string, holder: Holder, me: Holder): StoreError {
  if (holder.host === me.host) {
    const who = holder.pid === me.pid ? `this process (pid ${holder.pid})` : `process ${holder.pid}`;
    return new StoreError(
      "locked",
      `${directory} is open for writing in ${who}: stop it first, or give this one another data directory`,
    );
  }
  return new StoreError(
    "locked",
    `${directory} is open for writing in process ${holder.pid} on ${holder.host}: if that is gone for good, delete ${file}`,
  );
}
