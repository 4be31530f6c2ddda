/** What a replay plans and alerts for a history, told line by line. */
import type { Config } from "@bursar/events/config-schema";
import type { Told } from "@bursar/events/envelope";
import type { Action, Budget } from "@bursar/events/shapes";
import { replay } from "../src/replay.ts";
import { memoryStore } from "./memory-store.ts";

export async function judgedBy(
  config: Config,
  told: readonly Told[],
): Promise<{ actions: readonly Action[]; alerts: readonly string[]; budgets: readonly Budget[] }> {
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
  const { actions, alerts, budgets } = await replay(
    memoryStore(),
    config,
    (async function* () {
      yield lines;
    })(),
  );
  return { actions, alerts: alerts.map(({ id }) => id), budgets };
}
