/** The `/api` routes: what section 9 of the design promises to other programs, as JSON. */
import { listPayments, type PaymentFilter } from "@bursar/core/lists";
import { type Health, STATES, VERDICTS } from "@bursar/events/shapes";
import { type Context, Hono } from "hono";
import type { AlertOrders } from "./alert-orders.ts";
import type { OrderAnswer } from "./order.ts";
import type { Orders } from "./orders.ts";
import {
  actionsOf,
  alertsOf,
  budgetsOf,
  findPayments,
  policiesOf,
  quietsOf,
  type Readable,
  sessionsOf,
  walletsOf,
} from "./reads.ts";
import { dayFor } from "./reconcile-days.ts";
import type { ReconcileDesk } from "./reconcile-desk.ts";
import { storyOf } from "./story.ts";
import type { ChainStanding } from "./watcher.ts";

export interface ApiParts {
  readonly readable: Readable;
  readonly orders: Pick<Orders, "taken" | "recount">;
  /** How the chain is watched; null where it is not, or not yet. */
  readonly standing: () => ChainStanding | null;
  readonly desk: ReconcileDesk;
  readonly alertOrders: AlertOrders;
  /** Resolves when the overview has read the table. */
  readonly ready: Promise<void>;
  readonly health: () => Promise<Health>;
  readonly now: () => string;
}

const LIMIT = 100;
const LIMIT_MAX = 1_000;
/** Far above any id, and below what the table takes for a key. */
const ID_MAX = 512;
/** A session's name stands in an alert's id. */
const ALERT_ID_MAX = 2_048;
/** Far above any order. */
const BODY_MAX = 64 * 1024;
const STATUSES = ["open", "acknowledged", "resolved"] as const;

export function createApi({ readable, orders, alertOrders, standing, desk, ready, health, now }: ApiParts): Hono {
  const app = new Hono();
  app.get("/api/health", async (c) => {
    query(c, []);
    return c.json(await health());
  });
  app.get("/api/chain", (c) => {
    query(c, []);
    return c.json({ chain: standing() });
  });
  app.get("/api/payments", async (c) => {
    const { limit, cursor, ...filter } = paymentQuery(query(c, ["state", "verdict", "agent", "tx", "limit", "cursor"]));
    return c.json(await listPayments(readable.store, readable.world, now(), filter, { limit, cursor }));
  });
  app.get("/api/payments/:id{.+}", async (c) => {
    query(c, []);
    const id = c.req.param("id");
    if (id.length > ID_MAX) throw new ApiError(404, "not_found", `no payment's id has more than ${ID_MAX} characters`);
    const found = await findPayments(readable, id, now());
    const [payment] = found;
    if (payment === undefined) {
      throw new ApiError(404, "not_found", `no payment's id, nonce or hash begins with ${show(id)}`);
    }
    if (found.length === 1) return c.json(payment);
    const candidates = found.map((each) => each.id);
    const message = `${show(id)} fits ${found.length} or more payments: give more of it`;
    return c.json({ error: { code: "ambiguous", message, candidates } }, 409);
  });
  app.get("/api/story", async (c) => {
    const { id = "" } = query(c, ["id"]);
    const story = await storyOf(readable.store, readable.world, id.slice(0, ID_MAX));
    if (story === null) throw new ApiError(404, "not_found", `no payment has the id ${show(id)}`);
    return c.json({ story });
  });
  app.get("/api/budgets", async (c) => {
    const { window = "all" } = query(c, ["window"]);
    const which = oneOf("window", window, ["current", "all"] as const);
    await ready;
    return c.json({ budgets: await budgetsOf(readable, now(), which), nextCursor: null });
  });
  app.get("/api/policies", async (c) => {
    query(c, []);
    return c.json({ policies: await policiesOf(readable, now()), nextCursor: null });
  });
  app.get("/api/alerts", async (c) => {
    const { status } = query(c, ["status"]);
    if (status !== undefined) oneOf("status", status, STATUSES);
    const at = now();
    const all = await alertsOf(readable, at, status === undefined || status === "resolved" ? "all" : "standing");
    const alerts = all.filter((alert) => status === undefined || alert.status === status);
    return c.json({ alerts, quiets: await quietsOf(readable, at), nextCursor: null });
  });
  app.get("/api/alerts/:id{.+}", async (c) => {
    query(c, []);
    const found = await alertOrders.find(idOf(c));
    return "id" in found ? c.json(found) : answered(c, found);
  });
  app.get("/api/notices/:id{.+}", async (c) => {
    query(c, []);
    const found = await alertOrders.find(idOf(c));
    return "id" in found ? c.json({ notice: alertOrders.told(found) }) : answered(c, found);
  });
  app.get("/api/actions", async (c) => {
    query(c, []);
    return c.json({ actions: await actionsOf(readable), nextCursor: null });
  });
  app.get("/api/wallets", async (c) => {
    query(c, []);
    await ready;
    return c.json({ wallets: await walletsOf(readable, now()), nextCursor: null });
  });
  app.get("/api/sessions", async (c) => {
    query(c, []);
    return c.json({ sessions: await sessionsOf(readable, now()), nextCursor: null });
  });
  app.post("/api/alerts/:id{.+}/ack", async (c) => {
    query(c, []);
    const body = await bodyOf(c, {});
    const fields = typeof body === "object" && body !== null && !Array.isArray(body) ? { ...body, id: idOf(c) } : body;
    return answered(c, (await alertOrders.taken.ack?.(fields)) as OrderAnswer);
  });
  app.get("/api/recount", async (c) => {
    query(c, []);
    await ready;
    return c.json(await orders.recount());
  });
  app.get("/api/reconcile", async (c) => {
    const { day: name = "today" } = query(c, ["day"]);
    const day = dayFor(name, now());
    if (typeof day === "string") throw new ApiError(400, "query", `day is ${day}`);
    await ready;
    const answer = desk.ask(day);
    if (answer === null)
      throw new ApiError(503, "busy", "another day is being reconciled: ask again when that is done");
    return c.json(await answer);
  });
  app.get("/api/reconcile/progress", (c) => {
    query(c, []);
    return c.json({ reading: desk.reading() });
  });
  for (const [name, order] of Object.entries({ ...orders.taken, ...alertOrders.taken })) {
    app.post(`/api/orders/${name}`, async (c) => {
      query(c, []);
      return answered(c, await order(await bodyOf(c)));
    });
  }
  app.notFound((c) => {
    throw new ApiError(404, "not_found", `${c.req.method} ${show(c.req.path)}: there is no such path`);
  });
  app.onError((error, c) => {
    if (error instanceof ApiError) {
      return c.json({ error: { code: error.code, message: error.message } }, error.status);
    }
    return c.json({ error: { code: "internal", message: "the machine could not answer: see its log" } }, 500);
  });
  return app;
}

function answered(c: Context, answer: OrderAnswer): Response {
  if ("done" in answer) return c.json(answer.done);
  const { status, code, ...rest } = answer.refused;
  return c.json({ error: { code, ...rest } }, status);
}

function idOf(c: Context): string {
  const id = c.req.param("id") ?? "";
  if (id.length > ALERT_ID_MAX)
    throw new ApiError(404, "not_found", `no alert's id has more than ${ALERT_ID_MAX} characters`);
  return id;
}

/** The body as JSON; `missing` where there is none and that will do. */
async function bodyOf(c: Context, missing?: object): Promise<unknown> {
  const text = await c.req.text();
  if (text === "" && missing !== undefined) return missing;
  if (text.length > BODY_MAX) throw new ApiError(400, "body", `the body is larger than ${BODY_MAX} characters`);
  try {
    return JSON.parse(text);
  } catch {
    throw new ApiError(400, "body", "the body is no JSON");
  }
}

/** The query's parameters, each at most once and known by name. */
function query<Name extends string>(c: Context, names: readonly Name[]): { readonly [N in Name]?: string } {
  const given = c.req.queries();
  for (const [name, values] of Object.entries(given)) {
    if (!(names as readonly string[]).includes(name)) {
      const taken = names.length === 0 ? "none is taken here" : `${names.join(", ")} are taken`;
      throw new ApiError(400, "query", `unknown parameter ${show(name)}: ${taken}`);
    }
    if (values.length > 1) throw new ApiError(400, "query", `${name} stands ${values.length} times: give it once`);
  }
  return Object.fromEntries(Object.entries(given).map(([name, [value]]) => [name, value])) as { [N in Name]?: string };
}

function paymentQuery(
  given: {
    readonly [name in "state" | "verdict" | "agent" | "tx" | "limit" | "cursor"]?: string;
  },
): PaymentFilter & { limit: number; cursor: string | null } {
  const { state, verdict, agent, tx, limit = String(LIMIT), cursor } = given;
  if (!/^[1-9]\d{0,3}$/.test(limit) || Number(limit) > LIMIT_MAX) {
    throw new ApiError(400, "query", `limit is ${show(limit)}: a whole number from 1 to ${LIMIT_MAX} is taken`);
  }
  if (tx !== undefined && !/^0x[0-9a-f]{1,64}$/i.test(tx)) {
    throw new ApiError(400, "query", `tx is ${show(tx)}: a transaction hash, or its beginning, is taken, like 0xa198`);
  }
  if (agent !== undefined && !/^[A-Za-z0-9._-]{1,128}$/.test(agent)) {
    throw new ApiError(
      400,
      "query",
      `agent is ${show(agent)}: an agent's id is taken, letters, digits, points, dashes, underscores`,
    );
  }
  if (cursor !== undefined && (cursor === "" || cursor.length > 1_024)) {
    throw new ApiError(400, "query", "cursor is not one that this list has given: take nextCursor as it is");
  }
  return {
    limit: Number(limit),
    cursor: cursor ?? null,
    ...(state === undefined ? {} : { state: oneOf("state", state, STATES) }),
    ...(verdict === undefined ? {} : { verdict: oneOf("verdict", verdict, VERDICTS) }),
    ...(agent === undefined ? {} : { agent }),
    ...(tx === undefined ? {} : { tx: tx.toLowerCase() }),
  };
}

function oneOf<T extends string>(name: string, value: string, taken: readonly T[]): T {
  if (!(taken as readonly string[]).includes(value)) {
    throw new ApiError(400, "query", `${name} is ${show(value)}: one of ${taken.join(", ")} is taken`);
  }
  return value as T;
}

function show(value: string): string {
  return JSON.stringify(value.slice(0, 80));
}

/** An answer that is not what was asked for, and why. */
class ApiError extends Error {
  override readonly name = "ApiError";
  readonly status: 400 | 404 | 503;
  readonly code: string;

  constructor(status: 400 | 404 | 503, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}
