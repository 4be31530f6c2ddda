/** A directory that is gone when we are, however we end (but for kill -9). */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface Scratch {
  readonly directory: string;
  remove(): void;
}

/** Signals that would end us without running exit handlers; the codes are the shells' convention. */
const SIGNALS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

export function makeScratch(): Scratch {
  let directory: string | null = null;
  const remove = () => {
    if (directory !== null) rmSync(directory, { recursive: true, force: true, maxRetries: 3 });
  };
  // Before it is made: a signal in between would leave it behind.
  process.once("exit", remove);
  const handlers = Object.entries(SIGNALS).map(([signal, code]) => [signal, () => process.exit(code)] as const);
  for (const [signal, handler] of handlers) process.once(signal, handler);
  directory = mkdtempSync(join(tmpdir(), "bursar-"));
  return {
    directory,
    remove() {
      process.off("exit", remove);
      for (const [signal, handler] of handlers) process.off(signal, handler);
      remove();
    },
  };
}
