/**
 * EventBridge's `PutEvents` as AWS answers it (AWS JSON 1.1), so that an unmodified EventBridgeClient works:
 * https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
 *
 * On AWS a policy on the bus pins each source to its caller's role. Here any process of this computer may claim any
 * source: who shares the machine is trusted. What AWS would take and the contract refuses is quarantined later.
 */
import { isUtf8 } from "node:buffer";
import { randomUUID } from "node:crypto";
import { CALL_BYTES_MAX, ENTRIES_PER_CALL } from "@bursar/events/limits";

export interface AwsAnswer {
  readonly status: number;
  readonly body: unknown;
}

/** Takes one entry: resolves when it is durable, null when there is no room. */
export type Offer = (entry: unknown, text: string) => Promise<void> | null;

interface EntryResult {
  readonly EventId?: string;
  readonly ErrorCode?: string;
  readonly ErrorMessage?: string;
}

const TARGET = "AWSEvents.PutEvents";

/** Answers one call. Never rejects. */
export async function putEvents(target: string | undefined, body: Buffer, offer: Offer, now: Date): Promise<AwsAnswer> {
  if (target !== TARGET) {
    const named = target === undefined ? "missing" : JSON.stringify(target.slice(0, 80));
    return awsError(400, "UnknownOperationException", `x-amz-target is ${named}: ${TARGET} is taken`);
  }
  if (!isUtf8(body)) return awsError(400, "SerializationException", "the body is not UTF-8");
  let call: unknown;
  try {
    call = JSON.parse(body.toString("utf8"));
  } catch {
    return awsError(400, "SerializationException", "the body is no JSON");
  }
  const entries = isRecord(call) ? call.Entries : undefined;
  if (entries !== undefined && !Array.isArray(entries)) {
    return awsError(400, "SerializationException", "Entries is no list");
  }
  if (entries === undefined)
    return invalid("Value null at 'entries' failed to satisfy constraint: Member must not be null");
  if (entries.length === 0 || entries.length > ENTRIES_PER_CALL) {
    const bound = entries.length === 0 ? "greater than or equal to 1" : `less than or equal to ${ENTRIES_PER_CALL}`;
    const value = entries.length === 0 ? "[]" : `[${entries.length} entries]`;
    return invalid(`Value '${value}' at 'entries' failed to satisfy constraint: Member must have length ${bound}`);
  }
  for (const [i, entry] of entries.entries()) {
    const fault = shapeFault(entry);
    if (fault !== null) return awsError(400, "SerializationException", `Entries[${i}]${fault}`);
  }
  const bytes = (entries as Entry[]).reduce((sum, entry) => sum + sizeOf(entry), 0);
  if (bytes > CALL_BYTES_MAX) {
    const message = `Total size of the entries in the request is over the limit: ${bytes} of ${CALL_BYTES_MAX} bytes`;
    return awsError(400, "ValidationException", message);
  }
  const results = await Promise.all((entries as Entry[]).map((entry) => putEntry(entry, offer, now)));
  const failed = results.filter(({ ErrorCode }) => ErrorCode !== undefined).length;
  if (failed === results.length && results.every(({ ErrorCode }) => ErrorCode === "ThrottlingException")) {
    return awsError(400, "ThrottlingException", "the queue is full: send again later");
  }
  return { status: 200, body: { FailedEntryCount: failed, Entries: results } };
}

/** An error as AWS writes it. */
export function awsError(status: number, type: string, message: string): AwsAnswer {
  return { status, body: { __type: type, message } };
}

interface Entry {
  readonly Source?: string | null;
  readonly DetailType?: string | null;
  readonly Detail?: string | null;
  readonly Time?: number | string | null;
  readonly Resources?: readonly string[] | null;
}

async function putEntry(entry: Entry, offer: Offer, now: Date): Promise<EntryResult> {
  const { Source, DetailType, Detail, Time } = entry;
  for (const [name, value] of Object.entries({ Source, DetailType, Detail })) {
    if (!value)
      return refused("InvalidArgument", `Parameter ${name} is not valid. Reason: ${name} is a required argument.`);
  }
  if (Source?.startsWith("aws.")) {
    return refused("NotAuthorizedForSourceException", "Not authorized for the source: aws. is AWS's own.");
  }
  const time = Time === undefined || Time === null ? now : timeOf(Time);
  if (time === null) return refused("InvalidArgument", "Parameter Time is not valid. Reason: it is no time.");
  // The text is what is kept; half a surrogate pair in it would come back as something else.
  const detailText = (Detail as string).toWellFormed();
  let detail: unknown;
  try {
    detail = JSON.parse(detailText);
  } catch {
    return refused("MalformedDetail", "Detail is malformed.");
  }
  if (!isRecord(detail)) return refused("MalformedDetail", "Detail is malformed. It is no JSON object.");
  const envelope = {
    id: randomUUID(),
    source: (Source as string).toWellFormed(),
    "detail-type": DetailType?.toWellFormed(),
    time: seconds(time),
  };
  const text = `${JSON.stringify(envelope).slice(0, -1)},"detail":${detailText}}`;
  const durable = offer({ ...envelope, detail }, text);
  if (durable === null) return refused("ThrottlingException", "The queue is full: send again later.");
  try {
    await durable;
  } catch (error) {
    return refused("InternalFailure", (error as Error).message);
  }
  return { EventId: envelope.id };
}

/** What makes a call unreadable, as AWS's own parser would say; null when all members have their types. */
function shapeFault(entry: unknown): string | null {
  if (!isRecord(entry)) return " is no object";
  for (const name of ["Source", "DetailType", "Detail", "EventBusName", "TraceHeader"]) {
    const value = entry[name];
    if (value !== undefined && value !== null && typeof value !== "string") return `.${name} is no text`;
  }
  const { Resources, Time } = entry;
  if (Resources !== undefined && Resources !== null && !Array.isArray(Resources)) return ".Resources is no list";
  if (Time !== undefined && Time !== null && typeof Time !== "number" && typeof Time !== "string")
    return ".Time is no time";
  return null;
}

/** https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html, "Calculating entry size" */
function sizeOf({ Source, DetailType, Detail, Time, Resources }: Entry): number {
  let bytes = Time === undefined || Time === null ? 0 : 14;
  for (const text of [Source, DetailType, Detail]) bytes += typeof text === "string" ? Buffer.byteLength(text) : 0;
  for (const text of Resources ?? []) bytes += Buffer.byteLength(String(text));
  return bytes;
}

function timeOf(time: number | string): Date | null {
  const date = new Date(typeof time === "number" ? time * 1000 : time);
  return Number.isNaN(date.getTime()) ? null : date;
}

/** EventBridge's `time` has whole seconds. */
function seconds(time: Date): string {
  return `${time.toISOString().slice(0, 19)}Z`;
}

function invalid(what: string): AwsAnswer {
  return awsError(400, "ValidationException", `1 validation error detected: ${what}`);
}

function refused(ErrorCode: string, ErrorMessage: string): EntryResult {
  return { ErrorCode, ErrorMessage };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
