/** `bursar quiet`: keeps a rule or a subject from being told of until a time, or ends that. */
import type { Quiet } from "@bursar/core/alert-settings";
import type { Input } from "../args.ts";
import { EXIT, UsageError } from "../errors.ts";
import { type Io, printJson, printLines } from "../io.ts";
import { nameOf, reasonOf, untilOf } from "../orders-input.ts";
import { openMachine } from "../reader.ts";
import { quietLines } from "../terminal/alert-lines.ts";
import { safe } from "../terminal/text.ts";

export async function run(input: Input, io: Io): Promise<number> {
  const about = nameOf(input, "rule or the subject", 'bursar quiet unreported_by_api --until +2h --reason "a release"');
  const order = input.flag("end") ? endOf(input) : { until: until(input, io), reason: reasonOf(input) };
  const { client } = await openMachine(input, io);
  const done = (await client.post("/api/orders/quiet", { about, ...order })) as {
    readonly about: string;
    readonly quiets: readonly Quiet[];
  };
  if (input.flag("json")) printJson(io, done);
  else
    printLines(io, [
      ...(input.flag("end") ? [`${safe(done.about)} is told of again.`] : []),
      ...quietLines(done.quiets, io.screen()),
    ]);
  return EXIT.done;
}

function endOf(input: Input): object {
  if (input.text("until") !== null) throw new UsageError("--end ends it now: give no --until with it.");
  return { until: null };
}

function until(input: Input, io: Io): string {
  const time = untilOf(input, io.now());
  if (time === null)
    throw new UsageError("Say until when: --until TIME, like --until +2h. What is quiet for ever is missed.");
  return time;
}
