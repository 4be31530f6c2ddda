/**
 * A machine in a process of its own, to be killed: `node --import tsx machine-process.ts DATA CONFIG_JSON [settle]`.
 * It prints its URL. With `settle` it plays the chain: what is submitted settles, told as the watcher tells it, and a
 * number on stdin settles all payments below it and stops the machine when that and the queue are done.
 */
import { parseConfig } from "@bursar/events/config-schema";
import { parsePaymentId } from "@bursar/events/ids";
import { startMachine } from "../src/machine.ts";
import { settledOf, toldOf } from "./chain-facts.ts";
import { keyOf } from "./producers.ts";

const [data = "", config = "{}", settle] = process.argv.slice(2);
const machine = await startMachine({ data, config: parseConfig(JSON.parse(config)), port: 0 });
if (settle !== undefined) {
  machine.on((event) => {
    if (event.kind !== "payment" || event.data.state !== "submitted") return;
    const key = parsePaymentId(event.data.id);
    if (key?.method === "eip3009") void machine.tell([toldOf(settledOf(key))]).catch(() => {});
  });
}
process.stdin.setEncoding("utf8").on("data", async (text: string) => {
  const count = Number(text);
  await machine.drained();
  for (let n = 0; n < count; n++) await machine.tell([toldOf(settledOf(keyOf(n)))]);
  await machine.stop();
  process.stdout.write("stopped\n");
  process.exit(0);
});
process.stdout.write(`${machine.url}\n`);
