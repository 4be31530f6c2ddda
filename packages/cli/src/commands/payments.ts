/** `bursar payments`: the newest payments that pass the filters. */
import type { PaymentFilter } from "@bursar/core/lists";
import { type Payment, STATES, VERDICTS } from "@bursar/events/shapes";
import type { Input } from "../args.ts";
import { EXIT, UsageError } from "../errors.ts";
import { type Io, printLines, toJson, writeText } from "../io.ts";
import { eachPage, openReader, type Reader } from "../reader.ts";
import { count, plural } from "../terminal/figures.ts";
import { paymentTable } from "../terminal/payment-table.ts";
import { painter } from "../terminal/style.ts";

const LIMIT_DEFAULT = 20;
/** The list goes by id; the newest are found by looking at so many. */
const LOOKED_AT_MAX = 5000;

export async function run(input: Input, io: Io): Promise<number> {
  const filter = filterOf(input);
  const limit = input.integer("limit", 1, 100_000);
  const reader = await openReader(input, io);
  try {
    if (input.flag("json")) await printAll(reader, filter, limit, io);
    else await printNewest(reader, filter, limit ?? LIMIT_DEFAULT, io);
    return EXIT.done;
  } finally {
    await reader.close();
  }
}

function filterOf(input: Input): PaymentFilter {
  const state = input.choice("state", STATES);
  const verdict = input.choice("verdict", VERDICTS);
  const agent = input.text("agent");
  const tx = input.text("tx")?.toLowerCase() ?? null;
  if (tx !== null && !/^0x[0-9a-f]{1,64}$/.test(tx)) {
    throw new UsageError(`--tx is "${tx}": give a transaction hash or its beginning, like 0xa1984478.`);
  }
  return {
    ...(state === null ? {} : { state }),
    ...(verdict === null ? {} : { verdict }),
    ...(agent === null ? {} : { agent }),
    ...(tx === null ? {} : { tx }),
  };
}

/** By id, as the machine lists them; all, written as they come, where no limit is given. */
async function printAll(reader: Reader, filter: PaymentFilter, limit: number | null, io: Io): Promise<void> {
  let first = true;
  await writeText(io.out, '{\n  "payments": [');
  let next: string | null = null;
  for await (const { payments, nextCursor } of eachPage(reader, filter, limit ?? undefined)) {
    next = nextCursor;
    for (const payment of payments) {
      await writeText(io.out, `${first ? "\n    " : ",\n    "}${toJson(payment)}`);
      first = false;
    }
  }
  await writeText(io.out, `${first ? "]" : "\n  ]"},\n  "nextCursor": ${toJson(next)}\n}\n`);
}

async function printNewest(reader: Reader, filter: PaymentFilter, limit: number, io: Io): Promise<void> {
  const found: Payment[] = [];
  for await (const { payments } of eachPage(reader, filter, LOOKED_AT_MAX)) found.push(...payments);
  const screen = io.screen();
  const paint = painter(screen);
  if (found.length === 0) {
    const filtered = Object.keys(filter).length > 0;
    printLines(io, [filtered ? "No payment passes these filters." : "No payments yet."]);
    return;
  }
  const newest = found.sort((a, b) => (startOf(a) < startOf(b) ? 1 : -1)).slice(0, limit);
  const lines = paymentTable(newest, screen);
  const all =
    found.length === LOOKED_AT_MAX ? `at least ${count(LOOKED_AT_MAX)} payments` : plural(found.length, "payment");
  const shown = newest.length < found.length ? `the newest ${count(newest.length)} of ${all}` : all;
  const source = reader.health === null ? `, read from ${reader.from} (no machine runs)` : "";
  printLines(io, [...lines, "", paint("dim", `${shown}${source}. One of them: bursar payment ID`)]);
}

const startOf = (payment: Payment): string => payment.timeline[0]?.at ?? payment.bookedAt ?? "";
