/** `bursar`: finds the command, hands it what was typed, and turns how it ended into an exit code. */

import { clean } from "@bursar/events/text";
import { COMMON, parseInput } from "./args.ts";
import type { CommandSpec } from "./command-spec.ts";
import { COMMANDS, LATER } from "./commands.ts";
import { EXIT, UsageError } from "./errors.ts";
import { commandHelp, helpPage } from "./help.ts";
import { type Io, printJson, printLines, processIo } from "./io.ts";
import { nearest } from "./nearest.ts";
import { painter } from "./terminal/style.ts";
import { VERSION } from "./version.ts";

/** Runs one command line; answers the exit code. Never throws. */
export async function runBursar(argv: readonly string[], io: Io): Promise<number> {
  try {
    return await dispatch(argv, io);
  } catch (error) {
    complain(error, io);
    return error instanceof UsageError ? EXIT.usage : EXIT.failed;
  }
}

async function dispatch([first, ...rest]: readonly string[], io: Io): Promise<number> {
  if (first === undefined || first === "--help" || first === "-h") {
    printLines(io, helpPage(io.screen()));
    return EXIT.done;
  }
  if (first === "--version" || first === "-V" || first === "version") {
    if (rest.includes("--json")) printJson(io, { version: VERSION });
    else printLines(io, [VERSION]);
    return EXIT.done;
  }
  if (first === "help") return dispatch([...rest, "--help"], io);
  if (first.startsWith("-"))
    throw new UsageError(`Name the command first: bursar COMMAND ${first}. See: bursar --help`);
  const command = find(first, rest[0]);
  const words = command.name.split(" ").length - 1;
  const input = parseInput(command.name, rest.slice(words), { ...command.options, ...COMMON }, command.positionalsMax);
  if (input.flag("help")) {
    printLines(io, commandHelp(command, io.screen()));
    return EXIT.done;
  }
  const { run } = await command.load();
  return run(input, io);
}

/** @throws {UsageError} with the command probably meant, or what brings one that is not there yet */
function find(name: string, next = ""): CommandSpec {
  const two = `${name} ${next}`;
  for (const words of [name, two]) {
    const later = Object.hasOwn(LATER, words) ? LATER[words] : undefined;
    if (later !== undefined) {
      throw new UsageError(`bursar ${words} comes with ${later}, and that is not in version ${VERSION}.`);
    }
  }
  const names = COMMANDS.map((one) => one.name);
  const command = COMMANDS.find((one) => one.name === two) ?? COMMANDS.find((one) => one.name === name);
  const parts = names.flatMap((one) => (one.startsWith(`${name} `) ? [one.slice(name.length + 1)] : []));
  const part = command?.name === name && command.positionalsMax === 0 ? nearest(next, parts) : null;
  if (command !== undefined && part === null) return command;
  const pair = part === null ? nearest(two, names.filter(isPair)) : `${name} ${part}`; // "budgets sett", "budget set"
  const meant = pair ?? nearest(name, names);
  const hint = meant === null ? "" : ` Did you mean "bursar ${meant}"?`;
  throw new UsageError(`bursar has no command "${clean(pair === null ? name : two, 80)}".${hint} See: bursar --help`);
}

const isPair = (name: string): boolean => name.includes(" ");

/** Errors made for people, by their names: so that no package is loaded only to recognise its error. */
const PLAIN: ReadonlySet<string> = new Set([
  "CommandError",
  "UsageError",
  "ConfigError",
  "StoreError",
  "MachineError",
  "AnvilError",
  "DemoError",
  "MoneyError",
  "SessionsError",
  "RpcError",
]);

function complain(error: unknown, io: Io): void {
  const paint = painter(io.errScreen());
  const known = error instanceof Error && PLAIN.has(error.name);
  const message = error instanceof Error ? error.message : String(error);
  // Line feeds of our own messages stay; a stranger's control characters inside of them go.
  const lines = message.split("\n").map((line) => clean(line, 2000));
  io.err.write(`${paint("red", "bursar:")} ${lines.join("\n        ")}\n`);
  const debug = io.env.BURSAR_DEBUG === "1";
  if (!known && !debug) io.err.write("        This is a fault in Bursar. BURSAR_DEBUG=1 shows where.\n");
  if (debug && error instanceof Error)
    io.err.write(`${error.stack}\n${error.cause ? `because of ${String(error.cause)}\n` : ""}`);
}

/** The process's own main. A reader that goes away (`| head`) ends us quietly. */
export async function main(argv: readonly string[]): Promise<void> {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EPIPE") process.exit(EXIT.done);
      throw error;
    });
  }
  process.exitCode = await runBursar(argv, processIo());
}
