/** Checks a config and turns it into what the steps use: dollars into atomic units, addresses into lower case. */
import * as z from "zod";
import { CHAINS, chainById, DEFAULT_CHAIN_ID } from "./chains.ts";
import { parseUsd } from "./money.ts";
import { address } from "./scalars.ts";
import { PRODUCER_ID } from "./source.ts";
import { clean } from "./text.ts";

const DOLLARS = 'write dollars with a point and at most six decimals, like "5.00"';
const usd = z.string(DOLLARS).transform((text, context) => {
  try {
    return parseUsd(text);
  } catch {
    context.issues.push({ code: "custom", message: DOLLARS, input: text });
    return z.NEVER;
  }
});

const producerId = z.string().regex(PRODUCER_ID, "may hold letters, digits, points, dashes and underscores only");
const name = z.string().min(1, "must not be empty").max(128);
const everyOr = (schema: z.ZodType<string>) => z.union([z.literal("*"), schema]);

const scope = z.union(
  [
    z.strictObject({ org: name }).transform(({ org }) => ({ kind: "org" as const, id: org })),
    z.strictObject({ agent: everyOr(producerId) }).transform(({ agent }) => ({ kind: "agent" as const, id: agent })),
    z.strictObject({ session: name }).transform(({ session }) => ({ kind: "session" as const, id: session })),
    z.strictObject({ wallet: everyOr(address) }).transform(({ wallet }) => ({ kind: "wallet" as const, id: wallet })),
    z.strictObject({ payee: everyOr(address) }).transform(({ payee }) => ({ kind: "payee" as const, id: payee })),
    z.strictObject({ api: everyOr(producerId) }).transform(({ api }) => ({ kind: "api" as const, id: api })),
    z
      .strictObject({ label: z.string().regex(/^[^=]+=.+$/, 'must be a pair like "team=growth"') })
      .transform(({ label }) => ({ kind: "label" as const, id: label })),
  ],
  {
    error:
      'must be one of { org: "*" }, { agent: "research" }, { session: "*" }, { wallet: "0x..." }, { payee: "0x..." }, { api: "reports" }, { label: "team=growth" }; "*" is a budget for each',
  },
);

const threshold = z.strictObject({
  at: z
    .number("must be a share of the limit, like 0.5")
    .min(0.0001, "must be at least 0.0001")
    .max(1000, "must be at most 1000"),
  do: z.enum(["alert", "revoke", "freeze"], 'must be "alert", "revoke" or "freeze"'),
});

const budget = z
  .strictObject({
    id: z.string().regex(/^[A-Za-z0-9._-]{1,64}$/, "may hold up to 64 letters, digits, points, dashes and underscores"),
    scope,
    window: z.enum(["hour", "day", "week", "month", "total"], 'must be "hour", "day", "week", "month" or "total"'),
    limitUsd: usd,
    mode: z.enum(["enforce", "observe"], 'must be "enforce" or "observe"').default("enforce"),
    thresholds: z.array(threshold).max(16, "must be at most 16").default([]),
  })
  .transform(({ limitUsd, ...rest }) => ({ ...rest, limit: limitUsd }));

const seconds = z.int("must be a whole number of seconds").min(0, "must not be negative").max(31_536_000);
const RPC_URL = 'must be an http(s) or ws(s) URL, or { secret: "Name" } where it holds a key';
const rpcUrl = z.union(
  [z.url({ protocol: /^(https?|wss?)$/, error: RPC_URL }), z.strictObject({ secret: name }, RPC_URL)],
  RPC_URL,
);
const known = CHAINS.map((chain) => chain.id).join(" and ");

export const configSchema = z
  .strictObject({
    org: z
      .string('must be the name of your organisation, like "acme"')
      .regex(PRODUCER_ID, "may hold letters, digits, points, dashes and underscores only"),
    chains: z
      .array(
        z.strictObject({
          id: z.int().refine((id) => chainById(id) !== undefined, `version 1 knows ${known}`),
          rpcUrls: z.array(rpcUrl).max(16).default([]),
        }),
      )
      .length(1, "must be exactly one chain in version 1")
      .default([{ id: DEFAULT_CHAIN_ID, rpcUrls: [] }]),
    agents: z
      .record(
        producerId,
        z.strictObject({
          wallets: z.array(address).default([]),
          paymentManagerArn: name.optional(),
          userId: name.optional(),
          labels: z.record(z.string().min(1).max(64), z.string().max(128)).default({}),
        }),
      )
      .default({}),
    apis: z.record(producerId, z.strictObject({ payTo: z.array(address).default([]) })).default({}),
    budgets: z.array(budget).max(1000).default([]),
    wallets: z
      .strictObject({
        lowUsd: usd.default(1_000_000n),
        emptyUsd: usd.default(10_000n),
        runwayHours: z
          .number("must be a number of hours, like 3; 0 is never")
          .min(0, "must not be negative")
          .max(8_760, "must be at most 8760, a year")
          .default(3),
      })
      .prefault({}),
    deadlines: z
      .strictObject({ settleSeconds: seconds.default(120), reportSeconds: seconds.default(300) })
      .prefault({}),
    limits: z
      .strictObject({
        maxPaymentUsd: usd.default(100_000_000n),
        revocationsPerMinute: z.int().min(0).max(10_000).default(20),
      })
      .prefault({}),
    alerts: z
      .strictObject({
        email: z.array(z.email("must be an e-mail address")).default([]),
        rules: z
          .record(
            z.string().regex(/^[a-z_]{1,64}$/, "is no rule: rules are written like budget_threshold"),
            z.strictObject(
              {
                severity: z.enum(["critical", "warning", "info"], 'must be "critical", "warning" or "info"').optional(),
                tell: z.boolean("must be true or false").optional(),
              },
              'must be an object, like { severity: "info" } or { tell: false }',
            ),
          )
          .default({}),
        slack: z.strictObject({ secret: name }, 'must be { secret: "Name" }: whoever has the URL can post').optional(),
      })
      .prefault({}),
  })
  .check((context) => {
    unique(
      context,
      "budgets",
      context.value.budgets.map((b, i) => [b.id, ["budgets", i, "id"]]),
    );
    unique(
      context,
      "agents",
      Object.entries(context.value.agents).flatMap(([id, agent]) =>
        agent.wallets.map((wallet, i) => [wallet, ["agents", id, "wallets", i]] as const),
      ),
    );
  });

/** A checked config. Amounts are bigint atomic units. */
export type Config = z.output<typeof configSchema>;
export type Policy = Config["budgets"][number];
export type Scope = Policy["scope"];

/**
 * The config, checked.
 * @throws {ConfigError} that names each field that is wrong, what it holds, and what it should hold
 */
export function parseConfig(input: unknown, file = "bursar.config.ts"): Config {
  const parsed = configSchema.safeParse(input);
  if (parsed.success) return parsed.data;
  throw new ConfigError(file, problemsOf(parsed.error, input));
}

/** One budget as the config writes it, checked; or each field that is wrong, in words. */
export function parseBudget(input: unknown): { readonly budget: Policy } | { readonly problems: readonly string[] } {
  const parsed = budget.safeParse(input);
  return parsed.success ? { budget: parsed.data } : { problems: problemsOf(parsed.error, input) };
}

function problemsOf(error: z.ZodError, input: unknown): string[] {
  return error.issues.slice(0, 10).map((issue) => said(issue, input));
}

/** What a field holds, unless that may be a secret, and what it should hold. */
function said(issue: z.core.$ZodIssue, input: unknown): string {
  const path = issue.path.map((part) => (typeof part === "symbol" ? String(part) : part));
  if (issue.code === "unrecognized_keys") {
    const known = issue.keys.map((key) => fieldName([...path, key])).join(", ");
    return `${known}: no such field, check its spelling`;
  }
  // A record's key is wrong: what is said about the key is inside.
  const message = issue.code === "invalid_key" ? (issue.issues[0]?.message ?? issue.message) : issue.message;
  if (path.length === 0) return 'must be an object, like { org: "acme" }';
  const field = fieldName(path);
  if (issue.code === "invalid_key") return `${field}: this name ${message}`;
  if (path.includes("rpcUrls") || path.includes("slack")) return `${field}: ${message}`;
  const value = path.reduce<unknown>(
    (part, key) => (part as Record<string | number, unknown> | undefined)?.[key],
    input,
  );
  return `${field} is ${value === undefined ? "missing" : show(value)}: ${message}`;
}

function show(value: unknown): string {
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === "string" || typeof value === "number" || value === null) return clean(JSON.stringify(value), 60);
  return typeof value === "object" ? "an object" : clean(String(value), 60);
}

function fieldName(path: readonly (string | number)[]): string {
  return path.map((part, i) => (typeof part === "number" ? `[${part}]` : `${i === 0 ? "" : "."}${part}`)).join("");
}

function unique(
  context: z.core.ParsePayload<unknown>,
  list: string,
  entries: readonly (readonly [string, readonly (string | number)[]])[],
): void {
  const seen = new Map<string, readonly (string | number)[]>();
  for (const [value, path] of entries) {
    if (seen.has(value)) {
      const message = `${fieldName(seen.get(value) ?? [])} is too, and each may stand once in ${list}`;
      context.issues.push({ code: "custom", message, path: [...path], input: value });
    }
    seen.set(value, path);
  }
}

/** A config that cannot be used, with every field that is wrong. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly fields: readonly string[];

  constructor(file: string, fields: readonly string[]) {
    super(fields.map((field) => `${file}: ${field}`).join("\n"));
    this.fields = fields;
  }
}
