/** What a human orders, as somebody types it, against a real machine and AWS's own protocol for the sessions. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { addsOf, heldCounter } from "@bursar/core/counters";
import type { Action, Budget, Session } from "@bursar/events/shapes";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type GovernedMarket, governedMarket, MANAGER } from "./governed-market.ts";
import { raw } from "./raw.ts";
import { HOSTILE } from "./samples.ts";
import { type Ran, typed } from "./typed.ts";

const cwd = mkdtempSync(join(tmpdir(), "bursar-governing-"));
let market: GovernedMarket;
beforeAll(async () => {
  market = await governedMarket();
});
afterAll(() => rmSync(cwd, { recursive: true }));

/** One word a blank; what a person answers when asked. */
const bursar = (line: readonly string[], answer?: string): Promise<Ran> =>
  typed([...line, "--port", String(market.machine.port)], { cwd, ...(answer === undefined ? {} : { answer }) });
const words = (line: string): string[] => line.split(" ");
const json = async <T>(...line: string[]): Promise<T> => JSON.parse((await bursar([...line, "--json"])).out) as T;

const order = (name: string, body: unknown, headers: Record<string, string> = { "content-type": "application/json" }) =>
  raw(market.machine.port, { path: `/api/orders/${name}`, method: "POST", headers, body: JSON.stringify(body) });

const statusOf = async (id: string): Promise<string | undefined> =>
  (await json<{ sessions: Session[] }>("sessions")).sessions.find((session) => session.id === id)?.status;

describe("budgets", () => {
  test("one is set, changed member by member, shown and taken away", async () => {
    const session = await market.open("trader");
    await market.sign("trader", session, 500_000n);
    const set = await bursar(
      words(
        "budgets set trader-day --scope agent=trader --window day --limit 2.00 --threshold 50%=alert --threshold 1=freeze",
      ),
    );
    expect(set).toMatchObject({ code: 0, err: "" });
    expect(set.out).toBe(
      "trader-day: agent=trader, $2.00 a day; alert at 50 %, freeze at 100 %.\n" +
        "It holds now, and until bursar.config.ts says something new of it: write it there too.\n",
    );
    const observed = await json<{ budget: object }>(...words("budgets set trader-day --mode observe --limit 4"));
    expect(observed.budget).toEqual({
      id: "trader-day",
      scope: { agent: "trader" },
      window: "day",
      limitUsd: "4.00",
      mode: "observe",
      thresholds: [
        { at: 0.5, do: "alert" },
        { at: 1, do: "freeze" },
      ],
    });
    expect((await bursar(["budgets"])).out).toMatch(
      /trader-day +[▒░]+ +\$0\.00 spent \+ \$0\.50 held of \$4\.00 +12 % +observe, /,
    );
    const bare = await json<{ budget: { thresholds: object[] } }>(...words("budgets set trader-day --threshold none"));
    expect(bare.budget.thresholds).toEqual([]);
    expect((await bursar(words("budgets set trader-day --remove"))).out).toContain("trader-day is out of force");
    expect((await bursar(["budgets"])).out).not.toContain("trader-day");
  });

  test("a budget that counts what nobody counted says that it is counting, until it has", async () => {
    const set = await json<{ backfilling: boolean }>(
      ...words("budgets set trader-hour --scope agent=trader --window hour --limit 9.00"),
    );
    expect(set.backfilling).toBe(true);
    await until(async () => {
      const { budgets } = await json<{ budgets: Budget[] }>("budgets");
      return budgets.some(({ policy, backfilling }) => policy === "trader-hour" && backfilling === undefined);
    });
    await bursar(words("budgets set trader-hour --remove"));
  });

  test("a limit is raised until a time, and the raise taken back", async () => {
    const session = await market.open("research");
    await market.sign("research", session, 1_000_000n);
    const raised = await bursar([
      ...words("budgets raise research-day --to 80.00 --until +1h30m --reason"),
      "quarter end",
    ]);
    expect(raised).toMatchObject({ code: 0, err: "" });
    expect(raised.out).toMatch(
      /^research-day: agent=research, \$80\.00 a day until .* UTC \(1 h (30|29) min\), then \$50\.00 again;/,
    );
    const { budgets } = await json<{ budgets: Budget[] }>("budgets");
    const row = budgets.find(({ policy }) => policy === "research-day");
    expect(row).toMatchObject({ limit: "80000000" });
    const shown = (await bursar(["budgets"])).out;
    expect(shown).toMatch(/research-day .* of \$80\.00 .* raised, .* left/);
    expect(shown).toMatch(/research-day is raised to \$80\.00 until .*: quarter end/);
    expect((await bursar(words("budgets raise research-day --end"))).out).toContain("$50.00 a day;");
    const again = await bursar(words("budgets raise research-day --end"));
    expect(again).toMatchObject({ code: 1, err: expect.stringContaining("research-day has no raise in force") });
  });

  test.each([
    ["budgets set", "Name the budget"],
    ["budgets set x", "Say what of x to set: --scope, --window, --limit, --mode, --threshold."],
    ["budgets set x --remove --limit 1", "--remove takes the budget away"],
    ["budgets set x --limit 5,00", '--limit is "5,00": write dollars with a point'],
    ["budgets set x --scope agnt=y", '--scope is "agnt=y": write it as KIND=ID, like agent=y.'],
    ["budgets set x --scope research", "like agent=research, label=team=growth or org=*"],
    ["budgets set x --window dya", '--window is "dya": did you mean "day"?'],
    ["budgets set x --mode observed", 'did you mean "observe"?'],
    ["budgets set x --threshold 1=kill", '--threshold is "1=kill": write a share of the limit and what to do'],
    ["budgets set x --threshold 0=alert", '--threshold is "0=alert"'],
    ["budgets set x --threshold 80=alert", "that is 8000 %: write 80%=alert, or 0.8=alert"],
    ["budgets set x --threshold", "--threshold needs a value: --threshold SHARE=DO."],
    ["budgets raise", "Name the budget"],
    ["budgets raise x", "Say to what limit: --to USD"],
    ["budgets raise x --to 9", "Say until when: --until TIME, like --until +2h"],
    ["budgets raise x --to 9 --until tomorrow --reason y", '--until is "tomorrow": write how long from now'],
    ["budgets raise x --to 9 --until 2026-02-30T00:00:00Z --reason y", "--until is"],
    ["budgets raise x --to 9 --until +2h", "Say why, for whoever reads the record later"],
    ["budgets raise x --end --to 9", "--end takes the raise back now"],
  ])("bursar %s: exit code 2", async (line, expected) => {
    const { code, out, err } = await bursar(words(line));
    expect(err).toContain(expected);
    expect({ code, out }).toEqual({ code: 2, out: "" });
  });

  test.each([
    ["budgets set writr-day --limit 6", 'no budget has the id "writr-day": did you mean "writer-day"?'],
    ["budgets set newcomer --limit 6", 'no budget has the id "newcomer" yet, so give it whole: scope is missing'],
    [
      "budgets set newcomer --remove",
      'no budget has the id "newcomer": there are research-day, insight-month, writer-day',
    ],
    ["budgets set a/b --scope org=* --window day --limit 1", "may hold up to 64 letters"],
    ["budgets raise writr-day --to 9 --until +2h --reason y", 'did you mean "writer-day"?'],
    ["budgets raise writer-day --to 9 --until 2020-01-01T00:00:00Z --reason y", "and that is past"],
    ["budgets raise writer-day --to 3 --until +2h --reason y", "has a limit of $3.00: a raise must be above it"],
    ["budgets raise nobody --end", 'no budget has the id "nobody"'],
  ])("bursar %s: exit code 1", async (line, expected) => {
    const { code, out, err } = await bursar(words(line));
    expect(err).toContain(expected);
    expect({ code, out }).toEqual({ code: 1, out: "" });
  });
});

describe("revoke", () => {
  test("a session is shown, asked about, deleted and told of with what it may still cost", async () => {
    const session = await market.open("research");
    await market.sign("research", session, 250_000n);
    const line = ["revoke", session.sessionId.slice(0, -2), "--reason", "key leaked"];
    const no = await bursar(line, "n\n");
    expect(no.code).toBe(1);
    expect(no.out).toContain(session.sessionId);
    expect(no.err).toBe("Delete this session in AgentCore? [y/N] Nothing was done.\n");
    expect((await bursar(line, "")).code).toBe(1);
    expect(market.plane.plane.sessions().some(({ sessionId }) => sessionId === session.sessionId)).toBe(true);

    const yes = await bursar(line, "y\n");
    expect(yes.code).toBe(0);
    expect(yes.out).toMatch(new RegExp(`^revoked {3}${session.sessionId} {2}research {2}in \\d+ ms$`, "m"));
    expect(yes.out).toMatch(/\$0\.25 was signed before and may still settle until (\d\d-\d\d )?\d\d:\d\d:\d\d\./);
    expect(market.plane.plane.sessions().some(({ sessionId }) => sessionId === session.sessionId)).toBe(false);
    expect(await statusOf(session.sessionId)).toBe("revoked");
    expect((await bursar(words("sessions --status revoked"))).out).toMatch(
      new RegExp(`${session.sessionId} +research +revoked .* \\$0\\.25 until `),
    );
    // As a table that is too narrow writes it.
    const again = await bursar(["revoke", `${session.sessionId.slice(0, -1)}…`, "--reason", "x", "--yes"]);
    expect(again.out).toMatch(/ is revoked since [\d:]+: nothing to revoke\.\n$/);
    expect(again.code).toBe(0);
  });

  test("a scope loses all its open sessions, and a dry run none", async () => {
    const [first, second] = [await market.open("research"), await market.open("writer")];
    await market.sign("research", first, 10_000n);
    await market.sign("writer", second, 10_000n);
    const dry = await bursar(words("revoke --scope label=team=insight --dry-run"));
    expect(dry).toMatchObject({ code: 0, err: "" });
    for (const { sessionId } of [first, second]) expect(dry.out).toContain(sessionId);
    expect(await statusOf(first.sessionId)).not.toBe("revoked");
    const { actions, known } = await json<{ actions: Action[]; known: Action[] }>(
      ...words("revoke --scope label=team=insight --reason drill --yes"),
    );
    const targets = actions.map(({ target }) => target);
    for (const { sessionId } of [first, second]) expect(targets).toContain(sessionId);
    for (const action of actions) expect(action).toMatchObject({ outcome: "done", by: "human", reason: "drill" });
    expect(known).toEqual([]);
    const nothing = await bursar(words("revoke --scope label=team=insight --reason drill --yes"));
    expect(nothing).toMatchObject({ code: 0, err: "" });
    expect(nothing.out).toContain("label=team=insight has no open session: nothing to revoke. See: bursar sessions\n");
  });

  test("what AgentCore refuses fails, with what it said", async () => {
    const session = await market.open("trader");
    await market.sign("trader", session, 10_000n);
    market.denied.add("trader");
    const { code, out, err } = await bursar(["revoke", session.sessionId, "--reason", "x", "--yes"]);
    expect(code).toBe(1);
    expect(out).toMatch(new RegExp(`^failed {4}${session.sessionId} {2}trader {2}.*denied`, "im"));
    expect(out).toContain("Bursar tries again by itself. See: bursar actions");
    expect(err).toBe("1 session could not be deleted yet.\n");
    const failed = await bursar(words("actions --outcome failed --agent trader"));
    expect(failed.out).toMatch(new RegExp(`revoke +${session.sessionId} +trader +failed +x`));
    expect(failed.out).toMatch(new RegExp(`\n${session.sessionId}: [^]*denied`, "i"));
    market.denied.clear();
    const again = await bursar(["revoke", session.sessionId, "--reason", "y", "--yes"]);
    expect(again).toMatchObject({ code: 0, err: "" });
  });

  test.each([
    ["revoke", "Name a session, by its id or the beginning of one, or a scope"],
    ["revoke a --scope agent=b --reason x --yes", "Name either a session or a --scope, not both."],
    ["revoke a --yes", "Say why, for whoever reads the record later"],
    ["revoke a --reason x", "no terminal is here to ask on: add --yes"],
    ["revoke a --reason x --json", "with --json nobody is asked: add --yes"],
    ["revoke --scope session=a --reason x --yes", '--scope is "session=a"'],
    ["revoke --scope agent=a --manager b --reason x --yes", "--manager tells sessions of one id apart"],
    ["revoke a b --reason x --yes", 'does not know what to do with "b"'],
  ])("bursar %s: exit code 2", async (line, expected) => {
    const { code, out, err } = await bursar(words(line));
    expect(err).toContain(expected);
    expect({ code, out }).toEqual({ code: 2, out: "" });
  });

  test.each([
    ["revoke nope --reason x --yes", 'no session\'s id begins with "nope": see bursar sessions'],
    ["revoke --scope agent=reserch --reason x --yes", 'no agent is called "reserch": did you mean "research"?'],
  ])("bursar %s: exit code 1", async (line, expected) => {
    const { code, out, err } = await bursar(words(line));
    expect(err).toContain(expected);
    expect({ code, out }).toEqual({ code: 1, out: "" });
  });

  test("a beginning that fits several names them", async () => {
    const { code, err } = await bursar(words("revoke payment-session- --reason x --yes"));
    expect(code).toBe(1);
    expect(err).toMatch(/"payment-session-" fits \d+ or more sessions: give more of it/);
    expect(err).toMatch(new RegExp(`\n {10}payment-session-\\w+ \\(${MANAGER}\\)\n`));
  });
});

describe("freeze", () => {
  test("an agent is frozen with its sessions, given its policy, and let go with what stands against it", async () => {
    const session = await market.open("writer");
    await market.sign("writer", session, 3_500_000n); // above writer-day's limit: it revokes by itself
    await until(async () => (await statusOf(session.sessionId)) === "revoked");

    const frozen = await bursar([...words("freeze writer --reason"), "runs wild"], "yes\n");
    expect(frozen.code).toBe(0);
    expect(frozen.err).toContain("Freeze writer? It has no open session now; whatever it opens is deleted");
    expect(frozen.out).toContain("writer is frozen: whatever session it opens is deleted on sight");
    const policy = JSON.parse(frozen.out.slice(frozen.out.indexOf("{"), frozen.out.lastIndexOf("}") + 1));
    expect(policy.Statement[0]).toMatchObject({ Effect: "Deny", Resource: [MANAGER, `${MANAGER}/*`] });
    expect(frozen.out).toContain("Let it go: bursar unfreeze writer --reason TEXT");

    const twice = await bursar(words("freeze writer --reason x --yes"));
    expect(twice).toMatchObject({ code: 0, err: "", out: expect.stringContaining("writer is frozen already") });
    expect(twice.out).toContain('"Action": "bedrock-agentcore:ProcessPayment"');

    const next = await market.open("writer");
    await market.sign("writer", next, 1n);
    await until(async () => (await statusOf(next.sessionId)) === "revoked");
    const done = await bursar(words("actions --agent writer --limit 3"));
    expect(done.out).toMatch(/freeze +writer +writer +done +runs wild/);

    const free = await bursar(words("unfreeze writer --reason fixed --yes"));
    expect(free.code).toBe(0);
    expect(free.out).toMatch(
      /^writer is free: .*\nBut a budget still stands against it, and revokes what it opens:\n {2}writer-day: agent:writer is at \d+ % of \$3\.00 \(\$3\.5\d*\)\n {4}bursar budgets raise writer-day --to 8\.00 --until \+1h --reason TEXT\n/,
    );
    const raise = /bursar (budgets raise .*) TEXT/.exec(free.out)?.[1] ?? "";
    expect((await bursar([...words(raise), "more work"])).code).toBe(0);
    expect(await bursar(words("unfreeze writer --reason x --yes"))).toMatchObject({
      code: 1,
      err: "bursar: writer is not frozen.\n",
    });
    await bursar(words("budgets raise writer-day --end"));
  });

  test("one without a payment manager has no policy, and is told why", async () => {
    const { out } = await bursar(words("freeze loner --reason x --yes"));
    expect(out).toContain("No IAM policy can be given: the config names no paymentManagerArn for it.");
    expect(out.replaceAll("\n", " ")).toContain("Write agents.loner.paymentManagerArn into bursar.config.ts");
    const { iamPolicy, revoking } = await json<{ iamPolicy: null; revoking: [] }>(
      ...words("freeze research --reason x --yes"),
    );
    expect(iamPolicy).toMatchObject({ Version: "2012-10-17" });
    expect(revoking).toBeInstanceOf(Array);
    for (const agent of ["loner", "research"])
      expect((await bursar(["unfreeze", agent, "--reason", "x"], "y\n")).out).toContain(`${agent} is free`);
  });

  test.each([
    ["freeze", 2, "Name the agent"],
    ["freeze writer", 2, "Say why"],
    ["freeze writer --reason x", 2, "This stops an agent, and no terminal is here to ask on: add --yes"],
    ["freeze writr --reason x --yes", 1, 'no agent is called "writr": did you mean "writer"?'],
    ["freeze zzz --reason x --yes", 1, "there are "],
    ["unfreeze", 2, "Name the agent"],
    ["unfreeze trader --reason x", 2, "This lets an agent pay again, and no terminal"],
    ["unfreeze trader --reason x --yes", 1, "trader is not frozen"],
  ])("bursar %s: exit code %i", async (line, expectedCode, expected) => {
    const { code, out, err } = await bursar(words(line));
    expect(err).toContain(expected);
    expect({ code, out }).toEqual({ code: expectedCode, out: "" });
  });

  test("a question about a name that is none is not asked", async () => {
    const { code, err } = await bursar(words("freeze writr --reason x"), "y\n");
    expect(code).toBe(1);
    expect(err).not.toContain("[y/N]");
  });
});

describe("lists and books", () => {
  test("sessions and actions are filtered, bounded, and JSON for programs", async () => {
    const { sessions } = await json<{ sessions: Session[] }>(...words("sessions --agent writer"));
    expect(sessions.length).toBeGreaterThan(0);
    for (const { agentId } of sessions) expect(agentId).toBe("writer");
    expect((await json<{ sessions: Session[] }>(...words("sessions --limit 1"))).sessions).toHaveLength(1);
    expect((await bursar(words("sessions --limit 1"))).out).toMatch(/the latest 1 of \d+ sessions\./);
    expect((await bursar(words("sessions --agent nobody"))).out).toBe("No session passes these filters.\n");
    const { actions } = await json<{ actions: Action[] }>(...words("actions --outcome done"));
    expect(actions.map(({ at }) => at)).toEqual(
      actions
        .map(({ at }) => at)
        .sort()
        .reverse(),
    );
    expect((await bursar(words("actions --outcome skipped"))).out).toBe("No action passes these filters.\n");
    expect((await bursar(words("sessions --status opn"))).err).toContain('did you mean "open"?');
    expect((await bursar(words("actions --outcome undone"))).err).toContain("--outcome is");
  });

  test("recount proves the books", async () => {
    const { code, out } = await bursar(["recount"]);
    expect(out).toMatch(/^\d+ payments, \d+ counters: every counter equals the sum of its payments\.\n/);
    expect(code).toBe(0);
    expect(await json("recount")).toMatchObject({ wrong: [] });
  });

  test("a counter that somebody has changed is found", async () => {
    const { store } = market.machine;
    const counter = heldCounter("agent:trader");
    await store.commit([], addsOf(new Map([[counter, 70_000n]]), "spoilt"));
    const { code, out } = await bursar(["recount"]);
    await store.commit([], addsOf(new Map([[counter, -70_000n]]), "spoilt"));
    expect(code).toBe(1);
    expect(out).toContain(" 1 counter differs from the sum of its payments.\n");
    expect(out).toMatch(/\nheld agent:trader +\$[\d.]+ +\$[\d.]+ +\$0\.07\n/);
    expect((await bursar(["recount"])).code).toBe(0);
  });
});

describe("orders over HTTP", () => {
  test("only JSON from here is taken", async () => {
    expect((await order("freeze", { agent: "trader", reason: "x" }, {})).status).toBe(415);
    const origin = { "content-type": "application/json", origin: "http://evil.example" };
    expect((await order("freeze", { agent: "trader", reason: "x" }, origin)).status).toBe(403);
    for (const body of [[], null, 1, "x"]) expect((await order("freeze", body)).json.error.code).toBe("body");
    expect((await order("nothing", {})).status).toBe(404);
  });

  test.each([
    ["revoke", {}, 400, "body"],
    ["revoke", { session: "a", scope: "agent:b" }, 400, "body"],
    ["revoke", { scope: "everything", reason: "x" }, 400, "scope"],
    ["revoke", { scope: "agent:writr", reason: "x" }, 404, "not_found"],
    ["revoke", { session: "nope", reason: "x" }, 404, "not_found"],
    ["revoke", { session: "payment-session-", reason: "x" }, 409, "ambiguous"],
    ["revoke", { scope: "agent:trader" }, 400, "reason"],
    ["revoke", { scope: "agent:trader", reason: " \n" }, 400, "reason"],
    ["freeze", { agent: "trader" }, 400, "reason"],
    ["freeze", { agent: HOSTILE, reason: "x" }, 404, "not_found"],
    ["unfreeze", { agent: "trader", reason: "x" }, 409, "not_frozen"],
    ["set-budget", { id: "b" }, 400, "budget"],
    ["remove-budget", { id: "b" }, 404, "not_found"],
    ["raise-budget", { id: "writer-day", toUsd: "5.00", until: "2020-01-01T00:00:00Z", reason: "x" }, 400, "until"],
    ["raise-budget", { id: "writer-day", toUsd: "5", until: "soon", reason: "x" }, 400, "until"],
    ["raise-budget", { id: "writer-day", toUsd: "-5", until: "2126-01-01T00:00:00Z", reason: "x" }, 400, "toUsd"],
  ])("%s %j is refused", async (name, body, status, code) => {
    const answer = await order(name, body);
    expect({ status: answer.status, code: answer.json.error.code }).toEqual({ status, code });
    expect(answer.json.error.message).not.toContain("\u001b");
  });
});

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 10_000; Date.now() < end; ) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error("it did not come to hold within 10 s");
}
