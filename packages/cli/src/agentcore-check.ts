/** What doctor says of AgentCore: whether each agent that a budget may stop can be stopped, and no other with it. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { MANAGER_ARN_SHAPE, regionOf } from "@bursar/agentcore/manager-arn";
import type { Config, Policy } from "@bursar/events/config-schema";
import { type Check, fail, ok, warn } from "./check.ts";
import { plural } from "./terminal/figures.ts";
import type { Env } from "./terminal/screen.ts";

const NAME = "agentcore";

const SHARED =
  "AgentCore finds sessions by their user: with a shared one, stopping one agent stops the other. Give each agent a userId of its own, and open its sessions under that.";
const BLIND =
  "Without both, only sessions that events name can be revoked, and a frozen agent's new ones are not found before they sign.";

const NO_CREDENTIALS =
  "Give AWS credentials that may list and delete payment sessions (AWS_PROFILE, AWS_ACCESS_KEY_ID, ...), or run where a role of the machine gives them.";

/** What AWS's client takes credentials from, but for a role of the machine, which only a call would show. */
const CREDENTIALS = [
  "AWS_ACCESS_KEY_ID",
  "AWS_PROFILE",
  "AWS_WEB_IDENTITY_TOKEN_FILE",
  "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
  "AWS_CONTAINER_CREDENTIALS_FULL_URI",
  "AWS_ENDPOINT_URL_BEDROCK_AGENTCORE",
] as const;

/** Null where there is nothing to say: no agent has a payment manager, and no budget stops one. */
export function checkAgentCore({ agents, budgets }: Config, env: Env): Check | null {
  const managed = Object.entries(agents).filter(([, { paymentManagerArn }]) => paymentManagerArn !== undefined);
  const shared = sharedUsers(agents);
  const wrong = managed.flatMap(([id, { paymentManagerArn = "" }]) =>
    regionOf(paymentManagerArn) === null
      ? [`agents.${id}.paymentManagerArn is "${paymentManagerArn}", and that is no ARN of a payment manager`]
      : [],
  );
  const blind = unstoppable(agents, budgets);
  const said = [...shared, ...wrong, ...blind];
  if (said.length > 0) {
    const remedies = [
      ...(shared.length > 0 ? [SHARED] : []),
      ...(wrong.length > 0 ? [`Write the ARN as ${MANAGER_ARN_SHAPE}.`] : []),
      ...(blind.length > 0 ? [BLIND] : []),
    ];
    return (shared.length > 0 ? fail : warn)(NAME, said.join("\n"), remedies.join(" "));
  }
  if (managed.length === 0) return null;
  const home = env.HOME ?? "";
  const hasFile = home !== "" && existsSync(join(home, ".aws"));
  if (!hasFile && CREDENTIALS.every((name) => (env[name] ?? "") === ""))
    return warn(
      NAME,
      `${plural(managed.length, "agent")} with a payment manager, and no AWS credentials in the environment or in ~/.aws`,
      NO_CREDENTIALS,
    );
  return ok(NAME, `${plural(managed.length, "agent")} with a payment manager, each under a user of its own or none`);
}

/** Agents of one payment manager with one user, in words. */
function sharedUsers(agents: Config["agents"]): string[] {
  const byUser = new Map<string, string[]>();
  for (const [id, { paymentManagerArn, userId }] of Object.entries(agents)) {
    if (paymentManagerArn === undefined || userId === undefined) continue;
    const name = JSON.stringify([paymentManagerArn, userId]);
    byUser.set(name, [...(byUser.get(name) ?? []), id]);
  }
  return [...byUser].flatMap(([name, ids]) => {
    if (ids.length < 2) return [];
    const [arn, userId] = JSON.parse(name) as [string, string];
    const fields = ids.map((id) => `agents.${id}.userId`);
    return [`${fields.slice(0, -1).join(", ")} and ${fields.at(-1)} are the same, "${userId}", under ${arn}`];
  });
}

/** Agents that an enforced budget may revoke or freeze, and that lack what their sessions are found by, in words. */
function unstoppable(agents: Config["agents"], budgets: readonly Policy[]): string[] {
  return Object.entries(agents).flatMap(([id, agent]) => {
    const missing = (["paymentManagerArn", "userId"] as const).filter((field) => agent[field] === undefined);
    const stopping = budgets.filter((budget) => stops(budget) && isAbout(budget, id, agent.labels));
    if (missing.length === 0 || stopping.length === 0) return [];
    const freezing = stopping.find(({ thresholds }) => thresholds.some(({ do: does }) => does === "freeze"));
    const does = freezing === undefined ? `${stopping[0]?.id} revokes` : `${freezing.id} freezes`;
    return [`${does} ${id}, and agents.${id} has no ${missing.join(" and no ")}`];
  });
}

function stops({ mode, thresholds }: Policy): boolean {
  return mode === "enforce" && thresholds.some(({ do: does }) => does !== "alert");
}

/** Budgets of wallets, payees, APIs and sessions stop whoever signed: no agent by its name. */
function isAbout({ scope: { kind, id } }: Policy, agentId: string, labels: Readonly<Record<string, string>>): boolean {
  if (kind === "org") return true;
  if (kind === "agent") return id === "*" || id === agentId;
  return kind === "label" && Object.entries(labels).some(([name, value]) => `${name}=${value}` === id);
}
