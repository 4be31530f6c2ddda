/** Asks a running machine over HTTP. */
import type { Health } from "@bursar/events/shapes";
import { clean } from "@bursar/events/text";
import type { Input } from "./args.ts";
import { CommandError, UsageError } from "./errors.ts";
import type { Io } from "./io.ts";

export const PORT_DEFAULT = 4402;
/** A machine on this computer answers in milliseconds; one that does not in this time is stuck. */
const TIMEOUT_MS = 10_000;

export interface Client {
  readonly url: string;
  /** Parsed JSON of `GET path`; null where the path names nothing, or more than one thing. */
  get(path: string, query?: { readonly [name: string]: string | null }): Promise<unknown>;
}

export interface Address {
  readonly url: string;
  readonly token: string | null;
  /** Somebody named it, so that nothing else will do. */
  readonly named: boolean;
}

/** @throws {UsageError} for a URL that is none */
export function addressOf(input: Input, io: Io): Address {
  const url = input.text("url");
  const port = input.integer("port", 1, 65_535);
  const token = input.text("token") ?? io.env.BURSAR_TOKEN ?? null;
  if (url !== null && port !== null) throw new UsageError("--url and --port both say where the machine is: give one.");
  if (url === null) return { url: `http://127.0.0.1:${port ?? PORT_DEFAULT}`, token, named: port !== null };
  if (!/^https?:\/\/./.test(url) || !URL.canParse(url)) {
    throw new UsageError(`--url is "${clean(url, 200)}": give one like http://127.0.0.1:${PORT_DEFAULT}.`);
  }
  return { url: url.replace(/\/+$/, ""), token, named: true };
}

/** The machine at `address` and its health; null where nothing listens there. */
export async function connect(address: Address): Promise<{ client: Client; health: Health } | null> {
  const client = clientOf(address);
  let health: unknown;
  try {
    health = await client.get("/api/health");
  } catch (error) {
    if (error instanceof Refused) return null;
    throw error;
  }
  const is = health as Partial<Health> | null;
  if (typeof is !== "object" || is === null || typeof is.edition !== "string") {
    throw new CommandError(
      `What answers at ${address.url} is not Bursar: give the machine's address with --port or --url.`,
    );
  }
  return { client, health: health as Health };
}

function clientOf({ url, token }: Address): Client {
  return {
    url,
    async get(path, query = {}) {
      const given = Object.entries(query).filter((entry): entry is [string, string] => entry[1] !== null);
      const search = given.length === 0 ? "" : `?${new URLSearchParams(given)}`;
      let response: Response;
      let text: string;
      try {
        response = await fetch(`${url}${path}${search}`, {
          headers: {
            accept: "application/json",
            connection: "close",
            ...(token === null ? {} : { authorization: `Bearer ${token}` }),
          },
          signal: AbortSignal.timeout(TIMEOUT_MS),
        });
        text = await response.text();
      } catch (error) {
        throw unreached(url, error as Error);
      }
      return answerOf(url, path, response, text);
    },
  };
}

function answerOf(url: string, path: string, response: Response, text: string): unknown {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    if (response.status === 404) return null;
    throw new CommandError(`What answers at ${url} is not Bursar: ${path} gave no JSON (status ${response.status}).`);
  }
  if (response.status === 404 || response.status === 409) return null;
  if (response.ok) return body;
  const said = messageOf(body);
  if (response.status === 401 || response.status === 403) {
    throw new CommandError(`${url} refuses: ${said || "it wants a token"}. Give it with --token or BURSAR_TOKEN.`);
  }
  throw new CommandError(`${url}${path} answered ${response.status}: ${said || "without a reason"}`);
}

function messageOf(body: unknown): string {
  const { error } = (body ?? {}) as { error?: { message?: unknown } };
  return typeof error?.message === "string" ? clean(error.message, 256) : "";
}

function unreached(url: string, error: Error): Error {
  const code = (error.cause as NodeJS.ErrnoException | undefined)?.code ?? "";
  const nested = (error.cause as { errors?: NodeJS.ErrnoException[] } | undefined)?.errors?.[0]?.code;
  if ([code, nested].includes("ECONNREFUSED")) return new Refused();
  if (error.name === "TimeoutError")
    return new CommandError(`${url} did not answer within ${TIMEOUT_MS / 1000} s: is it overloaded? See its terminal.`);
  return new CommandError(
    `${url} cannot be reached: ${clean((error.cause as Error | undefined)?.message ?? error.message, 200)}`,
  );
}

/** Nothing listens there. */
class Refused extends Error {}
