/** `bursar payment ID`: one payment, three stories side by side. */
import type { Input } from "../args.ts";
import { CommandError, EXIT, UsageError } from "../errors.ts";
import { type Io, printJson, printLines } from "../io.ts";
import { openReader } from "../reader.ts";
import { MANY_MAX, resolveId } from "../resolve-id.ts";
import { inOrder } from "../story-order.ts";
import { plural } from "../terminal/figures.ts";
import { paymentPage } from "../terminal/payment-page.ts";
import { paymentTable } from "../terminal/payment-table.ts";
import { safe } from "../terminal/text.ts";

export async function run(input: Input, io: Io): Promise<number> {
  const [wanted] = input.positionals;
  if (wanted === undefined || wanted === "") {
    throw new UsageError("Name the payment by the beginning of its id, nonce or hash: bursar payment 0x3619");
  }
  const reader = await openReader(input, io);
  try {
    const resolved = await resolveId(reader, wanted);
    if (resolved.kind === "none") {
      throw new CommandError(
        `No payment has an id, nonce, hash or request that starts with "${safe(wanted)}". See: bursar payments`,
      );
    }
    if (resolved.kind === "many") {
      const { payments } = resolved;
      if (input.flag("json")) printJson(io, { ambiguous: wanted, candidates: payments.map(({ id }) => id) });
      else
        printLines(io, [
          `"${safe(wanted)}" fits ${plural(payments.length, "payment")}${payments.length === MANY_MAX ? " or more" : ""}; give more of it:`,
          "",
          ...paymentTable(payments, io.screen()),
        ]);
      return EXIT.failed;
    }
    const { payment } = resolved;
    if (input.flag("json")) {
      printJson(io, payment);
      return EXIT.done;
    }
    const bare = () => inOrder(payment.timeline.map((entry) => ({ ...entry, value: null })));
    const story = (await reader.story(payment.id)) ?? bare();
    const [budgets, chain] = await Promise.all([reader.budgets(), reader.chain()]);
    const facts = { payment, story, budgets: budgets ?? [], waiting: chain?.waiting ?? {} };
    printLines(io, paymentPage(facts, io.screen()));
    return EXIT.done;
  } finally {
    await reader.close();
  }
}
