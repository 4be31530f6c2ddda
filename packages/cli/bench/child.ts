/** A process of its own for what is measured, bundled as users run it, spoken to in lines. */
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

export interface Child {
  readonly child: ChildProcess;
  /** The next line that it prints. @throws where it has ended */
  line(): Promise<string>;
}

/** `file` is below packages/cli/bench. */
export function startChild(file: string, args: readonly string[]): Child {
  const run = fileURLToPath(new URL("run.mjs", import.meta.url));
  const child = spawn(process.execPath, ["--no-warnings", run, file, ...args], { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]();
  return {
    child,
    async line() {
      const { value, done } = await lines.next();
      if (done) throw new Error(`${file} ended without an answer`);
      return value;
    },
  };
}
