/** Budgets as people read them: one row per policy, scope and window in which held or spent is not zero. */
import type { Policy } from "@bursar/events/config-schema";
import type { Budget } from "@bursar/events/shapes";
import { type Effects, policyId, type ScopeRef, sessionOf } from "./effects.ts";
import { windowOf } from "./windows.ts";

/** Whether a policy is about a scope. */
export function covers({ scope }: Policy, ref: ScopeRef, org: string): boolean {
  if (scope.kind !== ref.kind) return false;
  if (scope.kind === "org") return scope.id === "*" || scope.id === org;
  return scope.id === "*" || scope.id === policyId(ref);
}

/** A counter's name taken apart. */
export interface CounterName {
  readonly kind: "held" | "spent";
  readonly scope: ScopeRef;
  readonly window: string | null;
  readonly start: string | null;
}

export function parseCounter(counter: string): CounterName {
  const bar = counter.indexOf("|");
  const kind = counter.slice(0, bar) as "held" | "spent";
  let rest = counter.slice(bar + 1);
  let window: string | null = null;
  let start: string | null = null;
  if (kind === "spent") {
    const last = rest.lastIndexOf("|");
    const before = rest.lastIndexOf("|", last - 1);
    start = rest.slice(last + 1) || null;
    window = rest.slice(before + 1, last);
    rest = rest.slice(0, before);
  }
  const colon = rest.indexOf(":");
  return { kind, scope: { kind: rest.slice(0, colon) as ScopeRef["kind"], id: rest.slice(colon + 1) }, window, start };
}

/** Rows sorted by (policy, scope, start). `figures` are the counters; held is shown in the window that contains now. */
export function budgetRows(policies: readonly Policy[], figures: Effects, org: string, now: string): Budget[] {
  const rows = new Map<string, Budget & { readonly order: string }>();
  const counters = Object.keys(figures).map((name) => ({ ...parseCounter(name), amount: figures[name] ?? 0n }));
  for (const policy of policies) {
    const current = windowOf(policy.window, now);
    for (const { kind, scope, window, start, amount } of counters) {
      if (amount === 0n || !covers(policy, scope, org) || (kind === "spent" && window !== policy.window)) continue;
      const at = kind === "held" ? current.start : start;
      const name = `${policy.id}\n${scope.kind}:${policyId(scope)}\n${at ?? ""}\n${scope.id}`;
      const row = rows.get(name);
      const held = (row === undefined ? 0n : BigInt(row.held)) + (kind === "held" ? amount : 0n);
      const spent = (row === undefined ? 0n : BigInt(row.spent)) + (kind === "spent" ? amount : 0n);
      rows.set(name, { ...rowOf(policy, scope, at, held, spent), order: name });
    }
  }
  return [...rows.values()].sort((a, b) => (a.order < b.order ? -1 : 1)).map(({ order: _order, ...row }) => row);
}

/** True where the figure has reached the share `at` of the limit; in integers. */
export function isCrossed(at: number, figure: bigint, limit: bigint): boolean {
  return figure * 10_000n >= BigInt(Math.round(at * 10_000)) * limit;
}

function rowOf(policy: Policy, scope: ScopeRef, start: string | null, held: bigint, spent: bigint): Budget {
  const span = start === null ? { start: null, end: null } : windowOf(policy.window, start);
  const manager = scope.kind === "session" ? sessionOf(scope).managerArn : undefined;
  return {
    policy: policy.id,
    scope: `${scope.kind}:${policyId(scope)}`,
    ...(manager === undefined ? {} : { managerArn: manager }),
    window: policy.window,
    ...span,
    limit: policy.limit.toString(),
    held: held.toString(),
    spent: spent.toString(),
    remaining: (policy.limit - held - spent).toString(),
    crossed: [...new Set(policy.thresholds.map(({ at }) => at))]
      .filter((at) => isCrossed(at, held + spent, policy.limit))
      .sort((a, b) => a - b),
    mode: policy.mode,
  };
}
