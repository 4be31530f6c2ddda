/** What must be right before the machine starts, and what is said when it is not. */
import { existsSync, readdirSync, statSync } from "node:fs";

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

/** A directory full of somebody else's files is a mistake to be told of, not a place to write to. */
export function checkDirectory(data: string): void {
  if (!existsSync(data)) return;
  if (!statSync(data).isDirectory())
    throw new MachineError("data", `${data} is no directory: name another one with --data`);
  const names = readdirSync(data);
  if (names.length === 0 || names.some((name) => OWN_NAMES.has(name))) return;
  throw new MachineError(
    "data",
    `${data} holds other files (${names.slice(0, 3).join(", ")}): name an empty directory with --data`,
  );
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
