/** A process of the spool's test: emits, and prints the ids of what is durable. Killed or left to end. */
import { createEmitter } from "../src/index.ts";

const { ENDPOINT = "", SPOOL = "", NAME = "", COUNT = "0" } = process.env;
const emitter = createEmitter({
  source: { agent: "research" },
  endpoint: ENDPOINT,
  spool: SPOOL,
  flushMs: 1,
  queueMax: 50,
});
const ROUND = 10;

for (let round = 0; round < Number(COUNT) / ROUND; round += 1) {
  const ids = Array.from({ length: ROUND }, (_, index) => `${NAME}-${round * ROUND + index}`);
  for (const requestId of ids) {
    emitter.emit({
      type: "agent.request_sent",
      requestId,
      resource: { url: "https://reports.example/", method: "GET" },
    });
  }
  const before = emitter.stats().emitted;
  while (!(await emitter.flush(50))) {
    const { queued, dropped } = emitter.stats();
    if (queued === 0 && dropped === 0) break; // all of it is on the disk
  }
  if (emitter.stats().emitted === before) process.stdout.write(`${ids.join("\n")}\n`);
}
await emitter.close(50);
