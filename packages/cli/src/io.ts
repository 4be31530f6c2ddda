/** What a command may touch of the process: its streams, its environment, its clock. Tests hand in their own. */
import { type Env, type Screen, screenOf, type Viewed } from "./terminal/screen.ts";

export interface Output extends Viewed {
  write(text: string): boolean;
  once(event: "drain", listener: () => void): unknown;
}

export interface Io {
  readonly in: AsyncIterable<unknown> & Viewed;
  readonly out: Output;
  readonly err: Output;
  readonly env: Env;
  readonly cwd: string;
  now(): Date;
  /** What `out` can show. */
  screen(): Screen;
  /** What `err` can show: progress and complaints go there. */
  errScreen(): Screen;
}

export function processIo(): Io {
  const { stdout: out, stderr: err, env } = process;
  return {
    // Opened only by who reads it: an opened stdin keeps the process alive.
    get in() {
      return process.stdin;
    },
    out,
    err,
    env,
    cwd: process.cwd(),
    now: () => new Date(),
    screen: () => screenOf(out, env),
    errScreen: () => screenOf(err, env),
  };
}

/** Whether somebody is there to answer a question: who types, and who sees it. */
export function canAsk(io: Io): boolean {
  return io.in.isTTY === true && io.errScreen().live;
}

/** Asks on `err`, so that `out` holds the answer alone; true for y or yes. Only where `canAsk`. */
export async function ask(io: Io, question: string): Promise<boolean> {
  io.err.write(`${question} [y/N] `);
  for await (const chunk of io.in) return /^\s*y(es)?\s*$/i.test(String(chunk));
  io.err.write("\n"); // the input has ended: that is no yes
  return false;
}

export function printLines(io: Io, lines: readonly string[]): void {
  if (lines.length > 0) io.out.write(`${lines.join("\n")}\n`);
}

/** Waits while the reader of `out` is slower than we are, so that a long answer never piles up in memory. */
export async function writeText(out: Output, text: string): Promise<void> {
  if (!out.write(text)) await new Promise<void>((resolve) => out.once("drain", resolve));
}

// What JSON.stringify leaves as it is though terminals act on it: C1, and the marks that turn the reading direction.
const UNSAFE = /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** JSON that is safe to print: the same value, with every character escaped that a terminal might act on. */
export function toJson(value: unknown, indent = 0): string {
  return JSON.stringify(value, null, indent).replace(
    UNSAFE,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** JSON for programs: the same bytes on a terminal and in a pipe. */
export function printJson(io: Io, value: unknown): void {
  io.out.write(`${toJson(value, 2)}\n`);
}

/** An object whose members are long lists, one element a line, written as it goes. */
export async function printLists(io: Io, lists: { readonly [name: string]: readonly unknown[] }): Promise<void> {
  let text = "{";
  for (const [i, name] of Object.keys(lists).entries()) {
    const list = lists[name] ?? [];
    text += `${i === 0 ? "" : ","}\n  ${toJson(name)}: [`;
    for (const [j, element] of list.entries()) {
      text += `${j === 0 ? "\n    " : ",\n    "}${toJson(element)}`;
      if (text.length > 65_536) {
        await writeText(io.out, text);
        text = "";
      }
    }
    text += list.length === 0 ? "]" : "\n  ]";
  }
  await writeText(io.out, `${text}\n}\n`);
}
