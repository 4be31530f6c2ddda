/** What must be right before the machine starts, and what is said when it is not. */
import { existsSync, mkdirSync, readdirSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

const LOCAL_HOSTS: ReadonlySet<string> = new Set(["127.0.0.1", "localhost", "::1"]);

/** @throws {MachineError} for an address that others can reach, without a token that keeps them out */
export function checkAddress(host: string, token: string | null): void {
  if (LOCAL_HOSTS.has(host) || (token !== null && token.length >= TOKEN_LENGTH_MIN)) return;
  throw new MachineError(
    "address",
    `${host} can be reached from other computers: give a token of at least ${TOKEN_LENGTH_MIN} characters, or listen on 127.0.0.1`,
  );
}

const TOKEN_LENGTH_MIN = 16;

/**
 * Makes the data directory where it is missing. One full of somebody else's files is a mistake to be told of, not a
 * place to write to.
 * @throws {MachineError} `data`
 */
export function checkDirectory(data: string): void {
  let names: string[];
  try {
    makeDirectory(resolve(data));
    names = readdirSync(data);
  } catch (error) {
    throw new MachineError("data", `${data} ${directoryFault(error)}: name another directory with --data`, error);
  }
  if (names.length === 0 || names.some((name) => OWN_NAMES.has(name))) return;
  throw new MachineError(
    "data",
    `${data} holds other files (${names.slice(0, 3).join(", ")}): name an empty directory with --data`,
  );
}

/**
 * The demo's payments are of a chain on this machine: beside real ones they would be real money, and blocks of the one
 * chain would be sought on the other.
 * @throws {MachineError} `data` for a directory of the other kind
 */
export function checkKind(data: string, demo: boolean): void {
  const isDemo = existsSync(join(data, "demo"));
  if (isDemo === demo || (demo && !existsSync(join(data, "store", "data.mdb")))) return;
  throw new MachineError(
    "data",
    demo
      ? `${data} holds payments of your own: give the demo another directory with --data`
      : `${data} holds the demo's payments, and those are not real: delete it, or name another directory with --data`,
  );
}

/** Level by level: `mkdir` with `recursive` never ends where a file system refuses with ENOENT, as /proc does. */
function makeDirectory(path: string): void {
  if (existsSync(path)) {
    if (!statSync(path).isDirectory()) throw Object.assign(new Error(path), { code: "ENOTDIR" });
    return;
  }
  makeDirectory(dirname(path));
  try {
    mkdirSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}

function directoryFault(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === "EACCES" || code === "EPERM") return "may not be made or read by this user";
  if (code === "ENOTDIR") return "is no directory, or lies below a file";
  if (code === "EROFS") return "is on a file system that cannot be written to";
  return `cannot be made (${code ?? message})`;
}

/** What a data directory of Bursar has. */
const OWN_NAMES: ReadonlySet<string> = new Set(["store", "queue", "demo", "spool"]);

/** Why listening failed, in words that help. */
export function listenError(error: unknown, host: string, port: number): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code === "EADDRINUSE") {
    const message = `port ${port} of ${host} is taken, perhaps by another bursar: stop that, or name another port with --port`;
    return new MachineError("port_taken", message, error);
  }
  if (code === "EACCES") {
    return new MachineError(
      "port_taken",
      `port ${port} needs more rights than this user has: name one above 1023 with --port`,
      error,
    );
  }
  if (code === "EADDRNOTAVAIL" || code === "ENOTFOUND") {
    return new MachineError("address", `${host} is no address of this computer: listen on 127.0.0.1`, error);
  }
  return error;
}

/** Why the machine did not start, and what to do about it. */
export class MachineError extends Error {
  override readonly name = "MachineError";
  readonly fault: "port_taken" | "address" | "data";

  constructor(fault: "port_taken" | "address" | "data", message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.fault = fault;
  }
}
