/** The users of payment managers that the config knows: whom AgentCore is asked about. */
import type { Config } from "@bursar/events/config-schema";

/** A user of a payment manager, and the agents that the config gives it to. */
export interface User {
  /** Manager and user as one name. */
  readonly name: string;
  readonly managerArn: string;
  readonly userId: string;
  readonly agentIds: readonly string[];
}

export function usersOf(agents: Config["agents"]): User[] {
  const users = new Map<string, User>();
  for (const [agentId, { paymentManagerArn: managerArn, userId }] of Object.entries(agents)) {
    if (managerArn === undefined || userId === undefined) continue;
    const name = `${managerArn}\n${userId}`;
    const agentIds = [...(users.get(name)?.agentIds ?? []), agentId].sort();
    users.set(name, { name, managerArn, userId, agentIds });
  }
  return [...users.values()];
}
