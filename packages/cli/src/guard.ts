/**
 * Who may call. The machine has no users and listens to this computer only, so a web page must not reach it: neither by
 * a name that resolves to 127.0.0.1 (DNS rebinding: the Host tells), nor by a form or a script of another origin.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";

export interface Refusal {
  readonly status: number;
  readonly code: string;
  readonly message: string;
}

export interface GuardOptions {
  /** Host names that callers may use beside the local ones: the address that was bound. */
  readonly host: string;
  readonly port: number;
  readonly token: string | null;
}

const LOCAL = ["127.0.0.1", "localhost", "[::1]"] as const;

/** Why this request is not taken, or null. */
export function refusalOf(request: IncomingMessage, options: GuardOptions): Refusal | null {
  const { headers, method = "" } = request;
  const own = authorities(options);
  const host = headers.host?.toLowerCase();
  // Opened to others, the machine cannot know by which names they call it; there the token tells friend from foe.
  if (host !== undefined && options.token !== null) own.add(host);
  if (host === undefined || !own.has(host)) {
    return refuse(403, "host", `Host is ${show(headers.host)}: call this machine as ${own.values().next().value}`);
  }
  const { origin } = headers;
  if (origin !== undefined && !isOwnOrigin(origin, own)) {
    return refuse(403, "origin", `Origin is ${show(origin)}: web pages of other origins are not served`);
  }
  // A page of another port of this computer is same-site, and no origin of ours; its plain GETs name no Origin.
  const site = headers["sec-fetch-site"];
  if (site !== undefined && site !== "same-origin" && site !== "none") {
    return refuse(403, "origin", `Sec-Fetch-Site is ${show(String(site))}: web pages of other origins are not served`);
  }
  if (options.token !== null && !isToken(headers.authorization, options.token)) {
    return refuse(401, "token", "send the machine's token as `Authorization: Bearer <token>`");
  }
  if (method !== "GET" && method !== "HEAD" && method !== "POST") {
    return refuse(405, "method", `${show(method)} is not taken: GET, HEAD and POST are`);
  }
  if (method === "POST" && headers["x-amz-target"] === undefined && !isJson(headers["content-type"])) {
    const type = headers["content-type"];
    return refuse(
      415,
      "content_type",
      `content-type is ${show(type)}: POST takes application/json, or an x-amz-target`,
    );
  }
  return null;
}

/** `host:port` as it may stand in Host and Origin; without the port where it is HTTP's own. */
function authorities({ host, port }: GuardOptions): Set<string> {
  const bound = host.includes(":") && !host.startsWith("[") ? `[${host}]` : host.toLowerCase();
  const own = new Set<string>();
  for (const name of [...LOCAL, bound]) {
    own.add(`${name}:${port}`);
    if (port === 80) own.add(name);
  }
  return own;
}

function isOwnOrigin(origin: string, own: ReadonlySet<string>): boolean {
  const lower = origin.toLowerCase();
  return lower.startsWith("http://") && own.has(lower.slice("http://".length));
}

function isJson(type: string | undefined): boolean {
  return type !== undefined && /^application\/json\s*(?:;|$)/i.test(type);
}

function isToken(authorization: string | undefined, token: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(authorization ?? ""), digest(`Bearer ${token}`));
}

function refuse(status: number, code: string, message: string): Refusal {
  return { status, code, message };
}

/** What a stranger sent, short and without anything that moves a cursor. */
function show(value: string | undefined): string {
  if (value === undefined) return "missing";
  return JSON.stringify(value.slice(0, 80));
}
