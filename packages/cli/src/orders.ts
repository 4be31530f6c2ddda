/**
 * What humans order of a running machine: revoke, freeze, let go, set, raise and remove budgets, recount. Each takes the
 * JSON that a command sent and answers what was done, or why it was refused and what to write instead.
 */
import {
  canFindSessions,
  freezeByHuman,
  revokeByHuman,
  sessionsByName,
  sessionsInScope,
  unfreezeByHuman,
} from "@bursar/core/commands";
import { policyId, type ScopeRef } from "@bursar/core/effects";
import { type GovernBase, worldAt } from "@bursar/core/govern-world";
import { notedAgents } from "@bursar/core/notes";
import { inForce, type Policies, raisePolicy, readPolicies, removePolicy, setPolicy } from "@bursar/core/policies";
import type { Store } from "@bursar/core/ports";
import { type Recount, recount } from "@bursar/core/recount";
import { shown } from "@bursar/core/session-reads";
import type { KeptSession } from "@bursar/core/session-registry";
import { parseBudget } from "@bursar/events/config-schema";
import { displayUsd, parseUsd } from "@bursar/events/money";
import { canonicalTime } from "@bursar/events/scalars";
import { clean } from "@bursar/events/text";
import type { Governance } from "./governance.ts";
import { nearest } from "./nearest.ts";
import { type Fields, type OrderAnswer, refuse, type Taken, takenOf } from "./order.ts";
import { publicAction } from "./reads.ts";

export interface OrdersParts {
  readonly store: Store;
  readonly base: GovernBase;
  readonly governance: Governance;
  /** Folds payments again where a budget counts what nobody counted; in the background, and never rejects. */
  readonly refold: () => Promise<void>;
  /** A line for whoever watches the machine: humans change budgets from other terminals. */
  readonly notice: (message: string) => void;
  readonly now: () => string;
}

export interface Orders {
  readonly taken: Taken;
  recount(): Promise<Recount>;
}

const REASON_MAX = 256;

export function createOrders({ store, base, governance, refold, notice, now }: OrdersParts): Orders {
  const world = () => worldAt(store, base, now());

  /** `{ reason, session?, managerArn?, scope?, dryRun? }` */
  async function revoke(given: Fields): Promise<OrderAnswer> {
    const { scope, session, managerArn } = given;
    if ((scope === undefined) === (session === undefined))
      return refuse("body", 'give either a session or a scope, like { "scope": "agent:research" }');
    const at = now();
    let found: readonly KeptSession[];
    if (typeof scope === "string") {
      const ref = scopeOf(scope, base);
      if (typeof ref === "string") return refuse("scope", ref);
      // A slip in a name must not read as "there is nothing to revoke".
      const known = ref.kind === "agent" ? await agentOf({ agent: ref.id }) : ref.id;
      if (typeof known !== "string") return known;
      const under = await world();
      if (!canFindSessions(under, ref))
        return refuse(
          "scope",
          `no budget is about a ${ref.kind}, so nobody has noted whose sessions paid it: name the agent, like agent:research`,
        );
      found = await sessionsInScope(store, under, ref, at);
    } else {
      const name = String(session);
      found = await sessionsByName(store, name, typeof managerArn === "string" ? managerArn : null);
      if (found.length === 0)
        return refuse("not_found", `no session's id begins with "${clean(name, 80)}": see bursar sessions`, 404);
      if (found.length > 1) {
        const candidates = found.map((one) => `${one.sessionId} (${one.managerArn})`);
        const message = `"${clean(name, 80)}" fits ${found.length} or more sessions: give more of it, or its managerArn`;
        return { refused: { status: 409, code: "ambiguous", message, candidates } };
      }
    }
    if (given.dryRun === true) return { done: { sessions: await shown(store, found, at) } };
    const reason = reasonOf(given);
    if (reason === null) return refuse("reason", NO_REASON);
    const { due, known } = await revokeByHuman(store, await world(), found, reason, at);
    governance.take({ due, heldBack: [], frozen: [], alerts: [] });
    return { done: { ordered: due.map(publicAction), known: known.map(publicAction) } };
  }

  /** `{ agent, reason }` */
  async function freeze(given: Fields): Promise<OrderAnswer> {
    const agent = await agentOf(given);
    if (typeof agent !== "string") return agent;
    const reason = reasonOf(given);
    if (reason === null) return refuse("reason", NO_REASON);
    const { frozen, due, alerts } = await freezeByHuman(store, await world(), agent, reason, now());
    governance.take({ due, heldBack: [], frozen: frozen === null ? [] : [frozen], alerts });
    const action = frozen === null ? null : publicAction(frozen);
    return { done: { action, revoking: due.map(publicAction), managerArns: managers(agent) } };
  }

  /** `{ agent, reason }` */
  async function unfreeze(given: Fields): Promise<OrderAnswer> {
    const agent = await agentOf(given);
    if (typeof agent !== "string") return agent;
    const reason = reasonOf(given);
    if (reason === null) return refuse("reason", NO_REASON);
    const done = await unfreezeByHuman(store, await world(), agent, reason, now());
    if (done === null) return refuse("not_frozen", `${agent} is not frozen`, 409);
    governance.take({ due: [], heldBack: [], frozen: [], alerts: done.alerts });
    notice(`${agent} is unfrozen: ${reason}`);
    return { done: { agent, standing: done.standing } };
  }

  /** A budget as the config writes it; members that are left out stay as they are. */
  async function set(given: Fields): Promise<OrderAnswer> {
    const before = (await readPolicies(store)).kept.find((one) => one.policy.id === given.id && !one.removed);
    const whole = before === undefined ? given : { ...written(before.policy), ...given };
    const parsed = parseBudget(whole);
    if ("problems" in parsed)
      return before === undefined
        ? newBudget(String(given.id ?? ""), parsed.problems)
        : refuse("budget", parsed.problems.join("; "));
    return changed(await setPolicy(store, parsed.budget), parsed.budget.id);
  }

  /** `{ id }` */
  async function remove(given: Fields): Promise<OrderAnswer> {
    const id = String(given.id ?? "");
    const after = await removePolicy(store, id);
    return after === null ? noBudget(id) : changed(after, id);
  }

  /** `{ id, toUsd, until, reason }`; `toUsd` null takes a raise back. */
  async function raise(given: Fields): Promise<OrderAnswer> {
    const id = String(given.id ?? "");
    if (given.toUsd === null) {
      const kept = (await readPolicies(store)).kept.find((one) => one.policy.id === id && !one.removed);
      if (kept === undefined) return noBudget(id);
      if (kept.raise === null || kept.raise.until <= now())
        return refuse("no_raise", `${id} has no raise in force: its limit is ${displayUsd(kept.policy.limit)}`, 409);
      const after = await raisePolicy(store, id, null);
      return after === null ? noBudget(id) : changed(after, id);
    }
    const reason = reasonOf(given);
    if (reason === null) return refuse("reason", NO_REASON);
    let to: bigint;
    try {
      to = parseUsd(String(given.toUsd ?? ""));
    } catch (error) {
      return refuse("toUsd", `to is ${(error as Error).message}`);
    }
    const at = now();
    const until = typeof given.until === "string" ? canonicalTime(given.until) : null;
    if (until === null) return refuse("until", 'until must be a time with an offset, like "2026-11-20T18:00:00Z"');
    if (until <= at) return refuse("until", `until is ${until}, and that is past: it is ${at}`);
    const policy = (await readPolicies(store)).kept.find((one) => one.policy.id === id && !one.removed)?.policy;
    if (policy === undefined) return noBudget(id);
    if (to <= policy.limit)
      return refuse(
        "toUsd",
        `${id} has a limit of ${displayUsd(policy.limit)}: a raise must be above it; bursar budgets set lowers a limit`,
      );
    const after = await raisePolicy(store, id, { to, until, reason, at });
    return after === null ? noBudget(id) : changed(after, id);
  }

  /** What a change of the budgets brings: judged at once, and counted in the background where it counts something new. */
  async function changed(policies: Policies, id: string): Promise<OrderAnswer> {
    await governance.judgeAll();
    void refold();
    const kept = policies.kept.find((one) => one.policy.id === id && !one.removed);
    const backfilling = inForce(policies, now()).backfilling.has(id);
    if (kept === undefined) {
      notice(`budget ${id} is removed`);
      return { done: { id, removed: true } };
    }
    const { policy, raise: raised, from } = kept;
    const lifted = raised === null || raised.until <= now() ? null : raised;
    notice(
      lifted === null
        ? `budget ${id} is ${displayUsd(policy.limit)} a ${policy.window}, ${policy.mode}`
        : `budget ${id} is raised to ${displayUsd(lifted.to)} until ${lifted.until}: ${lifted.reason}`,
    );
    return {
      done: {
        budget: written(policy),
        from,
        backfilling,
        raise: lifted && { toUsd: usdOf(lifted.to), until: lifted.until, reason: lifted.reason },
      },
    };
  }

  /** What is wrong with a budget that is not there yet: most likely its id, where a near one is. */
  async function newBudget(id: string, problems: readonly string[]): Promise<OrderAnswer> {
    const isPartial = problems.some((problem) => problem.includes(" is missing: "));
    if (isPartial && nearest(id, await idsInForce()) !== null) return noBudget(id);
    const whole = isPartial ? `no budget has the id "${clean(id, 80)}" yet, so give it whole: ` : "";
    return refuse("budget", `${whole}${problems.join("; ")}`);
  }

  async function idsInForce(): Promise<string[]> {
    return (await readPolicies(store)).kept.filter(({ removed }) => !removed).map(({ policy }) => policy.id);
  }

  async function noBudget(id: string): Promise<OrderAnswer> {
    const ids = await idsInForce();
    const meant = nearest(id, ids);
    const hint = meant === null ? `there are ${ids.join(", ") || "none"}` : `did you mean "${meant}"?`;
    return refuse("not_found", `no budget has the id "${clean(id, 80)}": ${hint}`, 404);
  }

  async function agentOf(given: Fields): Promise<string | OrderAnswer> {
    const agent = String(given.agent ?? "");
    const known = new Set([...base.directory.labels.keys(), ...(await notedAgents(store))]);
    if (known.has(agent)) return agent;
    const meant = nearest(agent, [...known]);
    const hint =
      meant === null ? `there are ${[...known].slice(0, 10).join(", ") || "none"}` : `did you mean "${meant}"?`;
    return refuse("not_found", `no agent is called "${clean(agent, 80)}": ${hint}`, 404);
  }

  function managers(agent: string): string[] {
    const arn = Object.hasOwn(base.agents, agent) ? base.agents[agent]?.paymentManagerArn : undefined;
    return arn === undefined ? [] : [arn];
  }

  const orders = { revoke, freeze, unfreeze, "set-budget": set, "remove-budget": remove, "raise-budget": raise };
  return {
    taken: takenOf(orders),
    async recount() {
      // What is written meanwhile may show as a difference; a real one stays.
      let found = await recount(store, await world(), now());
      for (let look = 1; look < RECOUNTS_MAX && found.wrong.length > 0; look++)
        found = await recount(store, await world(), now());
      return found;
    },
  };
}

const RECOUNTS_MAX = 3;
const NO_REASON = "say why: a reason stands in the record for whoever reads it later";

function reasonOf({ reason }: Fields): string | null {
  const text = typeof reason === "string" ? clean(reason, REASON_MAX).trim() : "";
  return text === "" ? null : text;
}

/** `agent:research`, `org:*`, `label:team=growth`, ...; in words where it is none. */
function scopeOf(text: string, { directory }: GovernBase): ScopeRef | string {
  const at = text.indexOf(":");
  const kind = text.slice(0, at) as ScopeRef["kind"];
  const id = text.slice(at + 1);
  if (!["org", "agent", "wallet", "payee", "api", "label"].includes(kind) || id === "")
    return `scope is "${clean(text, 80)}": write one like agent:research, label:team=growth, api:reports or org:*`;
  return { kind, id: kind === "org" ? directory.org : kind === "wallet" || kind === "payee" ? id.toLowerCase() : id };
}

/** A budget as the config writes it. */
function written({ scope, limit, ...rest }: Policies["kept"][number]["policy"]): object {
  return { ...rest, scope: { [scope.kind]: policyId(scope) }, limitUsd: usdOf(limit) };
}

const usdOf = (units: bigint): string => displayUsd(units).replace("$", "");
