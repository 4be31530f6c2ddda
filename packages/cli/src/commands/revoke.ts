/** `bursar revoke`: deletes payment sessions in AgentCore, after showing which, and says what became of each. */
import type { Action, Session } from "@bursar/events/shapes";
import { clean } from "@bursar/events/text";
import type { Input } from "../args.ts";
import type { Client } from "../client.ts";
import { EXIT, UsageError } from "../errors.ts";
import { type Io, printJson, printLines } from "../io.ts";
import { followed, sessionsOf } from "../ordered.ts";
import { confirmed, needYes, reasonOf, SCOPE_KINDS, scopeOf } from "../orders-input.ts";
import { openMachine } from "../reader.ts";
import { plural, timeText } from "../terminal/figures.ts";
import { orderedLines } from "../terminal/ordered-lines.ts";
import { sessionTable } from "../terminal/session-table.ts";

const PATH = "/api/orders/revoke";
/** A session of its own is named, not a scope. */
const KINDS = SCOPE_KINDS.filter((kind) => kind !== "session");

export async function run(input: Input, io: Io): Promise<number> {
  const target = targetOf(input);
  const dry = input.flag("dry-run");
  const reason = dry ? "" : reasonOf(input);
  if (!dry) needYes(input, io, "deletes sessions");
  const { client } = await openMachine(input, io);
  const { sessions } = (await client.post(PATH, { ...target.order, dryRun: true })) as {
    readonly sessions: readonly Session[];
  };
  const open = sessions.filter(({ status }) => status === "open" || status === "unknown");
  if (dry || open.length === 0) {
    if (input.flag("json")) printJson(io, dry ? { sessions } : { actions: [], known: [], sessions });
    else printLines(io, open.length === 0 ? nothingLines(target, sessions, io) : tableOf(open, io));
    return EXIT.done;
  }
  if (!input.flag("yes")) {
    printLines(io, [...tableOf(open, io), ""]);
    const them = open.length === 1 ? "this session" : `these ${open.length} sessions`;
    if (!(await confirmed(input, io, `Delete ${them} in AgentCore?`))) return EXIT.failed;
  }
  return order(client, { ...target.order, reason }, target, input, io);
}

interface Target {
  readonly order: object;
  /** As a person calls it. */
  readonly name: string;
  readonly agent: string | null;
}

/** @throws {UsageError} where neither or both are named */
function targetOf(input: Input): Target {
  const [session] = input.positionals;
  const scope = scopeOf(input, KINDS);
  const manager = input.text("manager");
  if ((session === undefined || session === "") === (scope === null))
    throw new UsageError(
      session === undefined || session === ""
        ? "Name a session, by its id or the beginning of one, or a scope: bursar revoke --scope agent=research. See: bursar sessions"
        : "Name either a session or a --scope, not both.",
    );
  if (scope !== null) {
    if (manager !== null)
      throw new UsageError("--manager tells sessions of one id apart: it does not go with --scope.");
    const { kind, id } = scope;
    return {
      order: { scope: `${kind}:${id}` },
      name: `${kind}=${id}`,
      agent: kind === "agent" && id !== "*" ? id : null,
    };
  }
  // As tables write an id that does not fit.
  const name = (session as string).replace(/(?:…|\.{2,3})$/, "");
  const order = { session: name, ...(manager === null ? {} : { managerArn: manager }) };
  return { order, name, agent: null };
}

const tableOf = (sessions: readonly Session[], io: Io): string[] =>
  sessionTable(sessions, io.now().toISOString(), io.screen());

function nothingLines({ name }: Target, sessions: readonly Session[], io: Io): string[] {
  const [only] = sessions;
  if (only === undefined)
    return [
      `${clean(name, 80)} has no open session: nothing to revoke. See: bursar sessions`,
      ...(/^(org|agent)=/.test(name)
        ? []
        : ["Of labels, APIs, wallets and payees only those that a budget is about are looked up."]),
    ];
  const when = only.revokedAt ?? only.expiresAt;
  const since = when === null ? "" : ` since ${timeText(when, io.now().toISOString())}`;
  return [`${clean(only.id, 256)} is ${only.status === "revoked" ? "revoked" : "over"}${since}: nothing to revoke.`];
}

async function order(client: Client, body: object, target: Target, input: Input, io: Io): Promise<number> {
  const answer = (await client.post(PATH, body)) as {
    readonly ordered: readonly Action[];
    readonly known: readonly Action[];
  };
  const [ordered, known] = [await followed(client, answer.ordered), await followed(client, answer.known)];
  const sessions = await sessionsOf(client, [...ordered, ...known]);
  const bad = [...ordered, ...known].filter(({ outcome }) => outcome !== "done").length;
  if (input.flag("json")) printJson(io, { actions: ordered, known, sessions });
  else {
    printLines(io, orderedLines({ ordered, known, sessions }, io.now().toISOString(), io.screen()));
    if (bad > 0) io.err.write(`${plural(bad, "session")} could not be deleted yet.\n`);
    else if (target.agent !== null)
      printLines(io, [
        "",
        `It may open a new one at once. To stop those too: bursar freeze ${target.agent} --reason TEXT`,
      ]);
  }
  return bad === 0 ? EXIT.done : EXIT.failed;
}
