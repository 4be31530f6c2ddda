/** Judges what a replay gave by an example's `expect.json`; how to read one stands in fixtures/examples/README.md. */
import { isDeepStrictEqual } from "node:util";
import type { Replayed } from "@bursar/core/replay";

type Fields = { readonly [field: string]: unknown };

export interface Expected {
  readonly payments?: { readonly [id: string]: Fields };
  readonly paymentCount?: number;
  readonly quarantined?: { readonly count?: number; readonly ids?: readonly string[] };
  readonly budgets?: readonly Fields[];
  /** Budget rows in all. */
  readonly rows?: number;
  readonly actions?: Listed & { readonly keysUnique?: boolean; readonly planned?: boolean };
  readonly alerts?: Listed & { readonly noneOpen?: readonly Fields[]; readonly count?: number };
  readonly also?: Expected;
}

interface Listed {
  readonly has?: readonly (Fields & { readonly times?: number })[];
  readonly none?: readonly Fields[];
}

/** Everything that is not as expected, in words; empty when all is. */
export function judge(got: Replayed, expected: Expected): string[] {
  const { payments, paymentCount, quarantined, budgets, rows, actions, alerts, also } = expected;
  const wrong: string[] = [];
  const same = (what: string, is: unknown, should: unknown): void => {
    if (!isDeepStrictEqual(is, should)) wrong.push(`${what} is ${JSON.stringify(is)}, not ${JSON.stringify(should)}`);
  };
  for (const [id, fields] of Object.entries(payments ?? {})) wrong.push(...judgePayment(got, id, fields));
  if (paymentCount !== undefined) same("the number of payments", got.payments.length, paymentCount);
  if (quarantined?.count !== undefined) same("the number of quarantined", got.quarantined.length, quarantined.count);
  if (quarantined?.ids !== undefined) {
    same("the quarantined ids", got.quarantined.map(({ eventId }) => eventId).sort(), [...quarantined.ids].sort());
  }
  for (const row of budgets ?? []) wrong.push(...judgeBudget(got, row));
  if (rows !== undefined) same("the number of budget rows", got.budgets.length, rows);
  wrong.push(...judgeList("action", got.actions, actions));
  if (actions?.keysUnique === true) {
    same("the number of action keys", new Set(got.actions.map(({ key }) => key)).size, got.actions.length);
  }
  if (actions?.planned === true) {
    for (const action of got.actions) same(`the outcome of ${action.key}`, action.outcome, "planned");
  }
  wrong.push(...judgeList("alert", got.alerts, alerts));
  const open = got.alerts.filter(({ status }) => status === "open");
  for (const fields of alerts?.noneOpen ?? []) wrong.push(...judgeList("open alert", open, { none: [fields] }));
  if (alerts?.count !== undefined) same("the number of alerts", got.alerts.length, alerts.count);
  return also === undefined ? wrong : [...wrong, ...judge(got, also)];
}

function judgePayment(got: Replayed, id: string, fields: Fields): string[] {
  const payment = got.payments.find((one) => one.id === id);
  if (fields.absent === true) return payment === undefined ? [] : [`${id} is listed, and should not be`];
  if (payment === undefined) return [`${id} is not listed`];
  const wrong: string[] = [];
  const breaks: readonly string[] = payment.breaks;
  const types = payment.timeline.map(({ type }) => type);
  for (const [field, should] of Object.entries(fields)) {
    if (field === "has")
      for (const name of should as string[]) if (!breaks.includes(name)) wrong.push(`${id} lacks ${name}`);
    if (field === "hasNot")
      for (const name of should as string[]) if (breaks.includes(name)) wrong.push(`${id} has ${name}`);
    if (field === "types")
      for (const type of should as string[]) if (!types.includes(type)) wrong.push(`${id} lacks ${type}`);
    if (field === "timelineLength" && types.length !== should)
      wrong.push(`${id} has ${types.length} facts, not ${should}`);
    if (OWN.has(field)) continue;
    const is = (payment as unknown as Fields)[field];
    if (!equals(is, should)) wrong.push(`${field} of ${id} is ${JSON.stringify(is)}, not ${JSON.stringify(should)}`);
  }
  return wrong;
}

const OWN: ReadonlySet<string> = new Set(["has", "hasNot", "types", "timelineLength"]);

/** `{ matches }` is equal in value, or one of what is said. */
function equals(is: unknown, should: unknown): boolean {
  const matches = (should as { matches?: unknown } | null)?.matches;
  if (matches === undefined) return isDeepStrictEqual(is, should);
  return isDeepStrictEqual(is, matches) || (Array.isArray(is) && is.includes(matches));
}

function judgeBudget(got: Replayed, row: Fields): string[] {
  const named = (fields: Fields) => `${fields.policy} ${fields.scope} ${fields.start ?? ""}`;
  const found = got.budgets.filter(({ policy, scope, start }) => {
    return policy === row.policy && scope === row.scope && (row.start === undefined || start === row.start);
  });
  if (found.length > 1) return [`${named(row)} stands ${found.length} times`];
  const is: Fields = (found[0] as Fields | undefined) ?? { ...row, held: "0", spent: "0", crossed: [] };
  return Object.entries(row).flatMap(([field, should]) => {
    return equals(is[field], should)
      ? []
      : [`${field} of ${named(row)} is ${JSON.stringify(is[field])}, not ${JSON.stringify(should)}`];
  });
}

function judgeList(what: string, list: readonly object[], expected: Listed | undefined): string[] {
  const count = (fields: Fields) => list.filter((one) => fits(one as Fields, fields)).length;
  const wrong: string[] = [];
  for (const { times = null, ...fields } of expected?.has ?? []) {
    const found = count(fields);
    if (times === null ? found === 0 : found !== times)
      wrong.push(`${found} ${what}s are like ${JSON.stringify(fields)}, not ${times ?? "one or more"}`);
  }
  for (const fields of expected?.none ?? []) {
    if (count(fields) > 0)
      wrong.push(`${count(fields)} ${what}s are like ${JSON.stringify(fields)}, and none should be`);
  }
  return wrong;
}

const fits = (one: Fields, fields: Fields): boolean =>
  Object.entries(fields).every(([field, should]) => equals(one[field], should));
