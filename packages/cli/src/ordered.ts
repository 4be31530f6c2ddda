/** Actions that were ordered, followed until they are done or have failed. */
import type { Action, Session } from "@bursar/events/shapes";
import type { Client } from "./client.ts";
import { pause } from "./pause.ts";

/** How long a person waits; what is not done by then goes on without them. */
const WAIT_MS = 10_000;
const LOOK_MS = 150;

/** The actions as they stand when none of them is due any more, or the time is up. In the order given. */
export async function followed(client: Client, ordered: readonly Action[]): Promise<readonly Action[]> {
  const end = performance.now() + WAIT_MS;
  let stand = ordered;
  while (stand.some(({ outcome }) => outcome === "due") && performance.now() < end) {
    await pause(LOOK_MS, new AbortController().signal);
    const { actions } = (await client.get("/api/actions")) as { actions: readonly Action[] };
    const byKey = new Map(actions.map((action) => [action.key, action]));
    stand = stand.map((action) => byKey.get(action.key) ?? action);
  }
  return stand;
}

/** The sessions that the actions are about, as they stand. */
export async function sessionsOf(client: Client, actions: readonly Action[]): Promise<readonly Session[]> {
  if (actions.length === 0) return [];
  const { sessions } = (await client.get("/api/sessions")) as { sessions: readonly Session[] };
  const names = new Set(actions.map(({ managerArn, target }) => `${managerArn} ${target}`));
  return sessions.filter(({ managerArn, id }) => names.has(`${managerArn} ${id}`));
}
