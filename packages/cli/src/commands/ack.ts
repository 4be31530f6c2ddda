/** `bursar ack`: says that somebody has seen an alert; it stands apart until it changes. */
import type { KeptAlert } from "@bursar/core/alert-shape";
import type { Input } from "../args.ts";
import { EXIT } from "../errors.ts";
import { type Io, printJson, printLines } from "../io.ts";
import { nameOf } from "../orders-input.ts";
import { openMachine } from "../reader.ts";
import { safe } from "../terminal/text.ts";

export async function run(input: Input, io: Io): Promise<number> {
  const id = nameOf(input, "alert", 'bursar ack not_on_chain/agent:research --note "the API is down"');
  const note = input.text("note");
  const { client } = await openMachine(input, io);
  const done = (await client.post("/api/orders/ack", { id, ...(note === null ? {} : { note }) })) as {
    readonly alert: KeptAlert;
    readonly already: boolean;
  };
  if (input.flag("json")) printJson(io, done);
  else
    printLines(io, [
      `${safe(done.alert.id)} is acknowledged${done.already ? " already" : ""}: it is told of again when it gets ten times as many, or is opened again.`,
    ]);
  return EXIT.done;
}
