/** Reading payments back: one by id, and pages of all, by id, assessed at the time of reading. */
import { alias, parsePaymentId } from "@bursar/events/ids";
import type { Payment, State, Verdict } from "@bursar/events/shapes";
import type { Marks } from "./alert-marks.ts";
import { assess, type Findings, find, type World } from "./assess.ts";
import { isSuperseded } from "./delivery.ts";
import type { Effects } from "./effects.ts";
import { aliasPk, paymentKey, TIES } from "./items.ts";
import { notedAgents } from "./notes.ts";
import { eachEntry } from "./pages.ts";
import { isNamed } from "./payment.ts";
import type { Store, Stored } from "./ports.ts";
import { load } from "./record.ts";
import { assessRow, isRow, makesRow, showRow } from "./rows.ts";
import { showPayment } from "./show.ts";

export interface PaymentFilter {
  readonly state?: State;
  readonly verdict?: Verdict;
  readonly agent?: string;
  readonly tx?: string;
}

export interface PaymentPage {
  readonly payments: readonly Payment[];
  readonly nextCursor: string | null;
}

const PAGE = 500;

/** One payment in its public shape; null where the table has none that is listed. */
export async function showById(store: Store, world: World, now: string, id: string): Promise<Payment | null> {
  const [stored] = await store.get([paymentKey(id)]);
  return stored === undefined ? null : ((await show(store, world, now, stored))?.payment ?? null);
}

/** Payments by id, from behind `cursor`, that pass the filter, at most `limit`. */
export async function listPayments(
  store: Store,
  world: World,
  now: string,
  filter: PaymentFilter,
  page: { limit: number; cursor?: string | null },
): Promise<PaymentPage> {
  const payments: Payment[] = [];
  for await (const { payment } of eachPayment(store, world, now, filter.agent ?? null, page.cursor ?? null)) {
    if (!passes(payment, filter)) continue;
    if (payments.length === page.limit) return { payments, nextCursor: payments[payments.length - 1]?.id ?? null };
    payments.push(payment);
  }
  return { payments, nextCursor: null };
}

/** A payment as it is listed, with what was found about it; `findings` is null for a row without payment. */
export interface Listed {
  readonly payment: Payment;
  readonly findings: Findings | null;
  readonly applied: Effects;
  /** The alerts that it stands in, or stood in. */
  readonly marks: Marks;
}

/** Every listed payment by id; of one agent, or of all. */
export async function* eachPayment(
  store: Store,
  world: World,
  now: string,
  agent: string | null,
  after: string | null,
): AsyncGenerator<Listed> {
  const partitions = agent === null ? await everyPartition(store, world) : [agent, "*"];
  for await (const stored of merged(store, partitions, after)) {
    const listed = await show(store, world, now, stored);
    if (listed !== null) yield listed;
  }
}

export function passes(payment: Payment, filter: PaymentFilter): boolean {
  if (filter.state !== undefined && payment.state !== filter.state) return false;
  if (filter.verdict !== undefined && payment.verdict !== filter.verdict) return false;
  if (filter.agent !== undefined && !payment.agentIds.includes(filter.agent)) return false;
  return filter.tx === undefined || payment.txHashes.some((hash) => hash.startsWith(filter.tx as string));
}

async function show(store: Store, world: World, now: string, stored: Stored): Promise<Listed | null> {
  const id = stored.pk.slice("PAY#".length);
  const { payment, applied, marks } = load(id, stored);
  if (isRow(id)) {
    if (!makesRow(payment) || Object.keys(payment.siblings).length > 0 || (await isTied(store, id))) return null;
    return {
      payment: showRow(payment, assessRow(payment, now, world), world.directory),
      findings: null,
      applied,
      marks,
    };
  }
  if (parsePaymentId(id) === null || !isNamed(payment) || isSuperseded(payment)) return null;
  const findings = find(payment, world.directory);
  return { payment: showPayment(findings, assess(findings, now, world)), findings, applied, marks };
}

/** A row whose alias was tied while another writer made it: the alias itself decides, not the row. */
async function isTied(store: Store, id: string): Promise<boolean> {
  const [kind, scope = "", ...rest] = id.split(":");
  const name = kind === "tx" ? alias.transaction(Number(scope), rest.join(":")) : alias.request(scope, rest.join(":"));
  const { items } = await store.facts(aliasPk(name), TIES, { limit: 1 });
  return items.length > 0;
}

async function everyPartition(store: Store, { directory }: World): Promise<string[]> {
  return [...new Set([...directory.labels.keys(), "-", "*", ...(await notedAgents(store))])];
}

/** The list index's partitions as one stream by id. */
async function* merged(store: Store, partitions: readonly string[], after: string | null): AsyncGenerator<Stored> {
  const streams = partitions.map((partition) => entries(store, partition, after));
  const heads = await Promise.all(streams.map((stream) => stream.next()));
  for (;;) {
    let least = -1;
    for (const [i, head] of heads.entries()) {
      const other = heads[least];
      if (!head.done && (other === undefined || other.done || head.value.pk < other.value.pk)) least = i;
    }
    const head = heads[least];
    const stream = streams[least];
    if (head === undefined || head.done || stream === undefined) return;
    yield head.value;
    heads[least] = await stream.next();
  }
}

function entries(store: Store, partition: string, from: string | null): AsyncGenerator<Stored, undefined> {
  // Ids hold no control characters; LMDB's index has a zero of its own behind the sort.
  return eachEntry(store, "list", partition, { ...(from === null ? {} : { from: `${from}\u0001` }), limit: PAGE });
}
