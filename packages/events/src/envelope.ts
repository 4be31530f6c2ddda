/**
 * One EventBridge entry in, its good events and its quarantined ones out. Nothing here throws for what a stranger
 * sent: a refusal is a result with its reason, and the neighbours of a bad event go on.
 */
import { createHash } from "node:crypto";
import type * as z from "zod";
import {
  agentEvents,
  apiEvents,
  chainEvents,
  DETAIL_TYPE,
  type Event,
  governEvents,
  MAY_NAME_NONE,
  type UnknownEvent,
  unknownEvent,
  VERSION,
} from "./contract.ts";
import { ENTRY_BYTES_MAX, EVENTS_PER_ENTRY, EVENTS_PER_ENTRY_MAX, QUARANTINE_HEAD_BYTES } from "./limits.ts";
import { ownPrefix, parseSource, type Source } from "./source.ts";
import { clean } from "./text.ts";
import { INGEST_PREFIXES } from "./topology.ts";

/** An event together with who said it. */
export interface Told {
  readonly source: Source;
  readonly event: Event | UnknownEvent;
}

/** What was not taken, why, and as much of it as is kept. */
export interface Quarantined {
  /** As the entry named it; null where it named none. */
  readonly source: string | null;
  readonly eventId: string | null;
  readonly reason: string;
  readonly event: unknown;
}

export interface Parsed {
  readonly told: readonly Told[];
  readonly quarantined: readonly Quarantined[];
  /** More events than a producer may send in one entry, though all were taken. */
  readonly oversized: string | null;
}

/** Who may be heard: the bus carries producers only, replay carries the chain and `govern` too. */
export type Channel = "bus" | "replay";

const schemas = {
  agent: byType(agentEvents),
  api: byType(apiEvents),
  chain: byType(chainEvents),
  govern: byType(governEvents),
};

/** Parses one entry from its text. */
export function parseEntryText(line: string, channel: Channel): Parsed {
  if (line.length > ENTRY_BYTES_MAX / 4 && Buffer.byteLength(line) > ENTRY_BYTES_MAX) {
    return refused(
      null,
      null,
      `entry is ${Buffer.byteLength(line)} bytes: at most ${ENTRY_BYTES_MAX} are taken`,
      head(line),
    );
  }
  let entry: unknown;
  try {
    entry = JSON.parse(line);
  } catch (error) {
    return refused(null, null, `entry is no JSON: ${clean((error as Error).message, 120)}`, head(line));
  }
  return parseEntry(entry, channel);
}

/** Parses one EventBridge event `{ id, source, "detail-type", detail }`. */
export function parseEntry(entry: unknown, channel: Channel): Parsed {
  if (!isRecord(entry)) return refused(null, null, "entry is no JSON object", head(toJson(entry)));
  const name = typeof entry.source === "string" ? entry.source : null;
  const refuse = (reason: string) => refused(name, null, reason, head(toJson(entry)));
  if (name === null) return refuse("source is missing");
  if (entry["detail-type"] !== DETAIL_TYPE) {
    return refuse(`detail-type is ${show(entry["detail-type"])}: "${DETAIL_TYPE}" is taken`);
  }
  const source = parseSource(name);
  const onBus = INGEST_PREFIXES.some((prefix) => name.startsWith(prefix));
  if (source === null || (channel === "bus" && !onBus)) {
    return refuse(`source is ${show(name)}: "bursar.agent.<agentId>" and "bursar.api.<apiId>" are heard`);
  }
  const detail = entry.detail;
  if (!isRecord(detail)) return refuse("detail is no JSON object");
  if (detail.version !== VERSION) return refuse(`detail.version is ${show(detail.version)}: ${VERSION} is taken`);
  const events = detail.events;
  if (!Array.isArray(events) || events.length === 0) return refuse("detail.events is no list of at least one event");
  if (events.length > EVENTS_PER_ENTRY_MAX) {
    return refuse(`detail.events has ${events.length} events: at most ${EVENTS_PER_ENTRY_MAX} are taken`);
  }
  const told: Told[] = [];
  const quarantined: Quarantined[] = [];
  for (const raw of events) {
    const event = parseEvent(raw, source);
    if (typeof event === "string") {
      const eventId = isRecord(raw) && typeof raw.id === "string" ? clean(raw.id, 256) : null;
      quarantined.push({ source: name, eventId, reason: event, event: keep(raw) });
    } else told.push({ source, event });
  }
  return { told, quarantined, oversized: events.length > EVENTS_PER_ENTRY ? name : null };
}

/** The event, normalised, or the reason why it is none. */
export function parseEvent(raw: unknown, source: Source): Event | UnknownEvent | string {
  if (!isRecord(raw)) return "event is no JSON object";
  const { type } = raw;
  if (typeof type !== "string") return `type is ${show(type)}: it must be a text`;
  const prefix = ownPrefix(source);
  if (!type.startsWith(prefix)) return `type is ${show(type)}: this source may assert ${prefix}* only`;
  const known = schemas[source.kind].get(type);
  if (known === undefined && (source.kind === "chain" || source.kind === "govern"))
    return `type is ${show(type)}: unknown`;
  const parsed = (known ?? unknownEvent).safeParse(raw);
  if (!parsed.success) return reason(parsed.error);
  const event = parsed.data as Event | UnknownEvent;
  if (source.kind === "agent" || source.kind === "api") {
    const { payment, txHash, requestId } = event as UnknownEvent;
    if (payment !== undefined || txHash !== undefined || MAY_NAME_NONE.includes(type)) return event;
    if (requestId === undefined) return "names neither payment, txHash nor requestId";
    // Nobody's request joins nothing; a fact that nobody will ever see again is not taken silently.
    if (known !== undefined && source.kind === "api" && (event as UnknownEvent).agentId === undefined)
      return "names a requestId without its agentId, and neither payment nor txHash";
  }
  return event;
}

function byType(events: readonly z.ZodType[]): Map<string, z.ZodType> {
  return new Map(events.map((schema) => [(schema as unknown as Typed).shape.type.value, schema]));
}

interface Typed {
  readonly shape: { readonly type: { readonly value: string } };
}

function refused(source: string | null, eventId: string | null, why: string, event: unknown): Parsed {
  return {
    told: [],
    quarantined: [{ source: source?.slice(0, 256).toWellFormed() ?? null, eventId, reason: why, event }],
    oversized: null,
  };
}

/** Field by field what is wrong, at most three of them. */
function reason(error: z.ZodError): string {
  const said = error.issues.slice(0, 3).map((issue) => {
    const field = issue.path.join(".");
    return field === "" ? issue.message : `${field}: ${issue.message}`;
  });
  return clean(said.join("; "), 512); // field names and values in it are a stranger's
}

/** A small event whole (with no half of a surrogate pair, which no store takes), a large or deep one as its head. */
function keep(raw: unknown): unknown {
  const json = toJson(raw);
  if (json.length > 16 * QUARANTINE_HEAD_BYTES || isDeep(raw, KEPT_DEPTH_MAX)) return head(json);
  return JSON.parse(json.replace(LONE_SURROGATE, (escaped, half) => (half === undefined ? escaped : "\\ufffd")));
}

/** Deeper than any event; what walks a kept one later must not run out of stack. */
const KEPT_DEPTH_MAX = 32;
/** JSON.stringify escapes a surrogate only where it stands alone; an escaped backslash before `ud800` is text. */
const LONE_SURROGATE = /\\(?:\\|u(d[89a-f][0-9a-f]{2}))/g;

function isDeep(value: unknown, depthMax: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  return depthMax === 0 || Object.values(value).some((member) => isDeep(member, depthMax - 1));
}

/** JSON of anything; a text that says what it is where it has none (too deep, cyclic, no JSON value). */
function toJson(value: unknown): string {
  try {
    return JSON.stringify(value) ?? "null";
  } catch (error) {
    return JSON.stringify(`no JSON: ${(error as Error).name}`);
  }
}

function head(text: string): { head: string; bytes: number; sha256: string } {
  const sha256 = createHash("sha256").update(text).digest("hex");
  return { head: text.slice(0, QUARANTINE_HEAD_BYTES).toWellFormed(), bytes: Buffer.byteLength(text), sha256 };
}

function show(value: unknown): string {
  return value === undefined ? "missing" : clean(toJson(value), 80);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
