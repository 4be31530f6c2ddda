/** One PutEvents call, and what became of each of its entries. */
import { type EventBridgeClient, PutEventsCommand } from "@aws-sdk/client-eventbridge";
import { DETAIL_TYPE, type Entry, type Item } from "./entries.ts";

export type Outcome =
  | { readonly kind: "sent" }
  /** `odd`: for a reason that is neither the bus's trouble nor the entry's known fault. */
  | { readonly kind: "retry"; readonly reason: string; readonly odd: boolean }
  /** It can never pass. */
  | { readonly kind: "refused"; readonly reason: string };

export interface Address {
  readonly client: EventBridgeClient;
  readonly bus: string | undefined;
  readonly source: string;
  /** Milliseconds that a call may take. */
  readonly timeoutMs: number;
}

/** What became of a call's items. */
export interface Sorted {
  readonly sent: number;
  /** To be tried again, with the same ids. */
  readonly again: readonly Item[];
  readonly refused: readonly { readonly item: Item; readonly reason: string }[];
  /** The last reason for trying again, null where there is none. */
  readonly trouble: string | null;
}

/** Refusals for unknown reasons after which an item counts as one that can never pass. */
const ODDITIES_MAX = 20;

/** Faults of the entry itself: https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEventsResultEntry.html */
const ENTRY_FAULTS = new Set(["InvalidArgument", "InvalidArgumentException", "MalformedDetail", "ValidationException"]);
/** Faults of a whole call that no repetition mends, unless it was one entry of several that caused it. */
const CALL_FAULTS = new Set(["ValidationException", "PutEventsRequestEntryTooLarge", "SerializationException"]);
/** The bus's trouble, or a right that someone will grant: worth waiting for. */
const TROUBLES = /Throttl|Internal|Unavailable|LimitExceeded|NotAuthorized|AccessDenied|OperationDisabled|Timeout/i;

/** Puts the entries. Never rejects; one outcome per entry, in their order. */
export async function putEntries(to: Address, entries: readonly Entry[], abort: AbortSignal): Promise<Outcome[]> {
  const answer = await call(to, entries, abort);
  if (Array.isArray(answer)) return answer;
  if (!answer.fault) return entries.map(() => ({ kind: "retry", reason: answer.reason, odd: false }));
  if (entries.length === 1) return [{ kind: "refused", reason: answer.reason }];
  const outcomes: Outcome[] = [];
  for (const entry of entries) outcomes.push(...(await putEntries(to, [entry], abort)));
  return outcomes;
}

/** Tells items that are through from those to try again and those to put aside. Counts oddities on the items. */
export function sortItems(entries: readonly Entry[], outcomes: readonly Outcome[]): Sorted {
  const again: Item[] = [];
  const refused: { item: Item; reason: string }[] = [];
  let sent = 0;
  let trouble: string | null = null;
  for (const [index, { items }] of entries.entries()) {
    const outcome = outcomes[index] as Outcome;
    if (outcome.kind === "sent") {
      sent += items.length;
      continue;
    }
    if (outcome.kind === "retry") trouble = outcome.reason;
    for (const item of items) {
      if (outcome.kind === "retry" && outcome.odd) item.oddities += 1;
      if (outcome.kind === "refused" || item.oddities >= ODDITIES_MAX) refused.push({ item, reason: outcome.reason });
      else again.push(item);
    }
  }
  return { sent, again, refused, trouble };
}

/** Outcomes by entry, or why there are none; `fault` when the call itself was at fault. */
async function call(
  { client, bus, source, timeoutMs }: Address,
  entries: readonly Entry[],
  abort: AbortSignal,
): Promise<Outcome[] | { reason: string; fault: boolean }> {
  const deadline = new AbortController();
  const stop = () => deadline.abort();
  const timer = setTimeout(stop, timeoutMs);
  timer.unref();
  abort.addEventListener("abort", stop, { once: true });
  if (abort.aborted) stop();
  const named = bus === undefined ? {} : { EventBusName: bus };
  const Entries = entries.map(({ detail }) => ({ ...named, Source: source, DetailType: DETAIL_TYPE, Detail: detail }));
  try {
    const sending = client.send(new PutEventsCommand({ Entries }), { abortSignal: deadline.signal });
    const answer = await Promise.race([sending, rejectedOn(deadline.signal, timeoutMs)]);
    const results = answer.Entries;
    if (!Array.isArray(results) || results.length !== entries.length) {
      return { reason: "PutEvents answered without one result per entry", fault: false };
    }
    return results.map(({ EventId, ErrorCode, ErrorMessage }): Outcome => {
      if (ErrorCode === undefined && EventId !== undefined) return { kind: "sent" };
      const code = ErrorCode ?? "no EventId";
      const reason = `${code}: ${ErrorMessage ?? ""}`;
      if (ENTRY_FAULTS.has(code)) return { kind: "refused", reason };
      return { kind: "retry", reason, odd: !TROUBLES.test(code) };
    });
  } catch (error) {
    const { name, message } = error as Error;
    const status = (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode;
    return { reason: `${name}: ${message}`, fault: CALL_FAULTS.has(name) || status === 413 };
  } finally {
    clearTimeout(timer);
    abort.removeEventListener("abort", stop);
  }
}

/** A client whose handler ignores the abort signal must not hold the queue up either. */
function rejectedOn(signal: AbortSignal, timeoutMs: number): Promise<never> {
  return new Promise((_, reject) => {
    const fail = () => reject(new Error(`PutEvents gave no answer within ${timeoutMs} ms`));
    if (signal.aborted) fail();
    else signal.addEventListener("abort", fail, { once: true });
  });
}
