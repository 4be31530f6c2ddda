/** What a replay makes of a history, told line by line. */
import type { Config } from "@bursar/events/config-schema";
import type { Told } from "@bursar/events/envelope";
import { type Replayed, replay } from "../src/replay.ts";
import { memoryStore } from "./memory-store.ts";

export function judgedBy(config: Config, told: readonly Told[]): Promise<Replayed> {
  const lines = told.map(({ source, event }) =>
    JSON.stringify({
      source:
        source.kind === "agent" || source.kind === "api"
          ? `bursar.${source.kind}.${source.id}`
          : `bursar.${source.kind}`,
      "detail-type": "payment.events.v1",
      detail: { version: 1, events: [event] },
    }),
  );
  return replay(
    memoryStore(),
    config,
    (async function* () {
      yield lines;
    })(),
  );
}
