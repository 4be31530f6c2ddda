/** `bursar freeze`: stops an agent until a human lets it go, and prints the IAM policy that makes the stop hard. */
import { type IamPolicy, iamDeny } from "@bursar/agentcore/iam-deny";
import type { Action, Session } from "@bursar/events/shapes";
import { clean } from "@bursar/events/text";
import type { Input } from "../args.ts";
import { EXIT } from "../errors.ts";
import { type Io, printJson, printLines, toJson } from "../io.ts";
import { followed, sessionsOf } from "../ordered.ts";
import { confirmed, nameOf, needYes, reasonOf } from "../orders-input.ts";
import { openMachine } from "../reader.ts";
import { plural } from "../terminal/figures.ts";
import { orderedLines } from "../terminal/ordered-lines.ts";
import { sessionTable } from "../terminal/session-table.ts";
import { painter } from "../terminal/style.ts";
import { wrap } from "../terminal/text.ts";

interface Frozen {
  /** Null where it was frozen already. */
  readonly action: Action | null;
  readonly revoking: readonly Action[];
  readonly managerArns: readonly string[];
}

export async function run(input: Input, io: Io): Promise<number> {
  const agent = nameOf(input, "agent", 'bursar freeze gambler --reason "runs wild"');
  const reason = reasonOf(input);
  needYes(input, io, "stops an agent");
  const { client } = await openMachine(input, io);
  if (!input.flag("yes")) {
    const scope = { scope: `agent:${agent}`, dryRun: true };
    const { sessions } = (await client.post("/api/orders/revoke", scope)) as { readonly sessions: readonly Session[] };
    if (sessions.length > 0) printLines(io, [...sessionTable(sessions, io.now().toISOString(), io.screen()), ""]);
    const now = sessions.length === 0 ? "It has no open session now;" : `${plural(sessions.length, "session")} now and`;
    const question = `Freeze ${clean(agent, 80)}? ${now} whatever it opens is deleted, until a human lets it go.`;
    if (!(await confirmed(input, io, question))) return EXIT.failed;
  }
  const frozen = (await client.post("/api/orders/freeze", { agent, reason })) as Frozen;
  const revoking = await followed(client, frozen.revoking);
  const sessions = await sessionsOf(client, revoking);
  const policy = policyOf(frozen.managerArns);
  const failed = revoking.filter(({ outcome }) => outcome !== "done").length;
  if (input.flag("json")) {
    const { action, managerArns } = frozen;
    printJson(io, { action, revoking, managerArns, iamPolicy: typeof policy === "string" ? null : policy });
  } else {
    const paint = painter(io.screen());
    const now = io.now().toISOString();
    printLines(io, [
      `${paint("red", `${agent} is frozen${frozen.action === null ? " already" : ""}`)}: whatever session it opens is deleted on sight, until a human lets it go.`,
      ...orderedLines({ ordered: revoking, known: [], sessions }, now, io.screen()),
      "",
      ...policyLines(agent, policy, io),
      "",
      `Let it go: bursar unfreeze ${agent} --reason TEXT`,
    ]);
  }
  return failed === 0 ? EXIT.done : EXIT.failed;
}

/** The policy, or in words why there is none. */
function policyOf(managerArns: readonly string[]): IamPolicy | string {
  if (managerArns.length === 0) return "the config names no paymentManagerArn for it";
  try {
    return iamDeny(managerArns);
  } catch (error) {
    return clean((error as Error).message, 512);
  }
}

function policyLines(agent: string, policy: IamPolicy | string, io: Io): string[] {
  const width = Math.min(io.screen().columns, 100);
  if (typeof policy === "string")
    return wrap(
      `No IAM policy can be given: ${policy}. Write agents.${agent}.paymentManagerArn into bursar.config.ts: without it Bursar finds only the sessions that events name.`,
      width,
    );
  return [
    ...wrap(
      `AgentCore still lets ${agent} open a session and sign in the moment before Bursar sees it. To close that door, attach this policy to the IAM role that ${agent} runs as (IAM, Roles, Add permissions, Create inline policy, JSON), and detach it to let it go:`,
      width,
    ),
    "",
    ...toJson(policy, 2).split("\n"),
  ];
}
