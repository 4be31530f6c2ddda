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
  get(path: string, query?: { readonly [name: string]: string | null }, timeoutMs?: number): Promise<unknown>;
  /**
   * Parsed JSON of `POST path` with a JSON body.
   * @throws {CommandError} for a refusal, in the machine's own words, with the candidates where it names some
   */
  post(path: string, body: object, timeoutMs?: number): Promise<unknown>;
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
  async function ask(path: string, init: RequestInit, timeoutMs: number): Promise<Asked> {
    const headers = {
      accept: "application/json",
      connection: "close",
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      ...init.headers,
    };
    try {
      const response = await fetch(`${url}${path}`, { ...init, headers, signal: AbortSignal.timeout(timeoutMs) });
      return { response, text: await response.text() };
    } catch (error) {
      throw unreached(url, error as Error, timeoutMs);
    }
  }
  return {
    url,
    async get(path, query = {}, timeoutMs = TIMEOUT_MS) {
      const given = Object.entries(query).filter((entry): entry is [string, string] => entry[1] !== null);
      const search = given.length === 0 ? "" : `?${new URLSearchParams(given)}`;
      const asked = await ask(`${path}${search}`, {}, timeoutMs);
      const { status } = asked.response;
      if (status === 404 || status === 409) return null;
      return answerOf(url, path, asked);
    },
    async post(path, body, timeoutMs = TIMEOUT_MS) {
      const init = {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
      };
      const asked = await ask(path, init, timeoutMs);
      const refused = refusalOf(asked);
      if (refused !== null) throw new CommandError(refused);
      return answerOf(url, path, asked);
    },
  };
}

interface Asked {
  readonly response: Response;
  readonly text: string;
}

function answerOf(url: string, path: string, { response, text }: Asked): unknown {
  const body = jsonOf(text);
  if (body === undefined)
    throw new CommandError(`What answers at ${url} is not Bursar: ${path} gave no JSON (status ${response.status}).`);
  if (response.ok) return body;
  const said = messageOf(body);
  if (response.status === 401 || response.status === 403) {
    throw new CommandError(`${url} refuses: ${said || "it wants a token"}. Give it with --token or BURSAR_TOKEN.`);
  }
  throw new CommandError(`${url}${path} answered ${response.status}: ${said || "without a reason"}`);
}

/** Why an order was not taken, and what fits where several things do; null where it was. */
function refusalOf({ response, text }: Asked): string | null {
  if (![400, 404, 409].includes(response.status)) return null;
  const body = jsonOf(text);
  const said = messageOf(body);
  if (said === "") return null;
  const { candidates } = ((body as { error?: object }).error ?? {}) as { candidates?: unknown };
  const listed = Array.isArray(candidates) ? candidates.map((one) => `  ${clean(String(one), 256)}`) : [];
  return [listed.length > 0 || /[.?!]$/.test(said) ? said : `${said}.`, ...listed].join("\n");
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function messageOf(body: unknown): string {
  const { error } = (body ?? {}) as { error?: { message?: unknown } };
  return typeof error?.message === "string" ? clean(error.message, 1024) : "";
}

function unreached(url: string, error: Error, timeoutMs: number): Error {
  const code = (error.cause as NodeJS.ErrnoException | undefined)?.code ?? "";
  const nested = (error.cause as { errors?: NodeJS.ErrnoException[] } | undefined)?.errors?.[0]?.code;
  if ([code, nested].includes("ECONNREFUSED")) return new Refused();
  if (error.name === "TimeoutError")
    return new CommandError(`${url} did not answer within ${timeoutMs / 1000} s: is it overloaded? See its terminal.`);
  return new CommandError(
    `${url} cannot be reached: ${clean((error.cause as Error | undefined)?.message ?? error.message, 200)}`,
  );
}

/** Nothing listens there. */
class Refused extends Error {}
