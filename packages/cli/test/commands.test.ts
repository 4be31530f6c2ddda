/** The commands against a machine that runs and against its directory when it does not; wrong use and its answers. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type OpenDataPlane, openDataPlane } from "@bursar/demo/agentcore/open";
import { alertNotice } from "@bursar/events/alert-notice";
import { parseConfig } from "@bursar/events/config-schema";
import { parseEntryText } from "@bursar/events/envelope";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { COMMANDS } from "../src/commands.ts";
import { type Machine, startMachine } from "../src/machine.ts";
import { HOSTILE } from "./samples.ts";
import { type Ran, typed } from "./typed.ts";

const EXAMPLE = new URL("../../../test/fixtures/examples/settled-after-revoke/", import.meta.url);
const LATE = "0x5d16d56a0136bcb10ca382073a7e50034f7c3f7a713b4032265d29c3af7f7c1b";

const directory = mkdtempSync(join(tmpdir(), "bursar-commands-"));
const data = join(directory, "data");
const configFile = join(directory, "config.json");
let machine: Machine;
let agentCore: OpenDataPlane;
let port: string;

beforeAll(async () => {
  // Without its RPC URL: nothing here asks a chain.
  const { chains: _none, ...config } = JSON.parse(readFileSync(new URL("config.json", EXAMPLE), "utf8"));
  writeFileSync(configFile, JSON.stringify(config));
  const parsed = parseConfig(config);
  const managerArns = Object.values(parsed.agents).flatMap(({ paymentManagerArn }) => paymentManagerArn ?? []);
  agentCore = await openDataPlane({ accounts: [], managerArns: [...new Set(managerArns)] });
  machine = await startMachine({ data, config: parsed, port: 0, agentCoreUrl: agentCore.url });
  port = String(machine.port);
  const lines = readFileSync(new URL("events.ndjson", EXAMPLE), "utf8").trim().split("\n");
  await machine.tell(lines.flatMap((line) => parseEntryText(line, "replay").told));
  await machine.ready;
});

afterAll(async () => {
  await machine.stop();
  await agentCore.close();
  rmSync(directory, { recursive: true });
});

const bursar = (argv: readonly string[]): Promise<Ran> =>
  typed(argv, { cwd: directory, now: () => new Date("2026-11-20T10:11:40.000Z") });

describe("a machine that runs", () => {
  const at = (...argv: string[]) => bursar([...argv, "--port", port]);

  test("payments are a table, and JSON for programs", async () => {
    const shown = await at("payments");
    expect(shown).toMatchObject({ code: 0, err: "" });
    expect(shown.out).toMatchInlineSnapshot(`
      "ID           STARTED (UTC)   AGENT     API         AMOUNT  STATE  VERDICT
      0xaa94…69d8  11-20 10:00:05  research  reports  $4.000000  final  matched
      0x5d16…7c1b  11-20 10:00:00  research  reports  $2.000000  final  break: settled after revocation

      2 payments. One of them: bursar payment ID
      "
    `);
    const { payments, nextCursor } = JSON.parse((await at("payments", "--json")).out);
    expect(payments).toHaveLength(2);
    expect(nextCursor).toBeNull();
    expect(payments.map(({ id }: { id: string }) => id)).toEqual(payments.map(({ id }: { id: string }) => id).sort());
    const page = JSON.parse((await at("payments", "--json", "--limit", "1")).out);
    expect(page.payments).toHaveLength(1);
    expect(page.nextCursor).toBe(page.payments[0].id);
  });

  test("filters go to the machine", async () => {
    expect((await at("payments", "--verdict", "break")).out).toContain("settled after revocation");
    expect((await at("payments", "--verdict", "break", "--json")).out).toContain(LATE);
    expect((await at("payments", "--agent", "nobody")).out).toBe("No payment passes these filters.\n");
    const { txHashes } = JSON.parse((await at("payments", "--json")).out).payments[0];
    const found = JSON.parse(
      (await at("payments", "--json", "--tx", txHashes[0].slice(0, 12).toUpperCase().replace("0X", "0x"))).out,
    );
    expect(found.payments).toHaveLength(1);
  });

  test.each([LATE, LATE.slice(0, 8), "0x5d16…7c1b", "0x5d16...7c1b", LATE.toUpperCase().replace("0X", "0x")])(
    "a payment answers to %s",
    async (name) => {
      const shown = await at("payment", name, "--data", data, "--config", configFile);
      expect(shown).toMatchObject({ code: 0, err: "" });
      expect(shown.out).toContain("break: settled after revocation");
      expect(shown.out).toContain("amounts     accepted $2.000000 = signed = verified = settled");
      expect(shown.out).toContain(`nonce       ${LATE}`);
      expect(JSON.parse((await at("payment", name, "--json")).out).id).toContain(LATE);
    },
  );

  test("the machine tells the whole story, wherever its directory is", async () => {
    const shown = await at("payment", LATE, "--data", join(directory, "elsewhere"));
    expect(shown.code).toBe(0);
    expect(shown.out).toContain("session revoked by Bursar");
    expect(shown.out).toContain("amounts     accepted $2.000000 = signed = verified = settled");
  });

  test("a beginning that fits several lists them, and says so by its exit code", async () => {
    const shown = await at("payment", "eip3009:");
    expect(shown).toMatchObject({ code: 1, err: "" });
    expect(shown.out).toContain('"eip3009:" fits 2 payments; give more of it:');
    expect(JSON.parse((await at("payment", "eip3009:", "--json")).out).candidates).toHaveLength(2);
    const none = await at("payment", HOSTILE);
    expect(none.code).toBe(1);
    expect(none.err).toMatchInlineSnapshot(`
      "bursar: No payment has an id, nonce, hash or request that starts with "[2J[31mpwnedsecond line". See: bursar payments
      "
    `);
  });

  test("status, budgets, alerts, wallets, sessions, actions", async () => {
    expect((await at("status")).out).toContain("payments  2 · 1 matched · 0 pending · 1 with breaks");
    expect(JSON.parse((await at("status", "--json")).out)).toMatchObject({
      totals: { payments: 2, spent: "6000000" },
      alertsOpen: 1,
    });
    // What was spent on the day of the events is no part of the machine's own day.
    expect((await at("budgets")).out).toContain(
      "Nothing is spent or held under any budget in the windows that are now.",
    );
    expect((await at("budgets", "--all")).out).toMatchInlineSnapshot(`
      "d research  ████████████████  $6.00 spent of $5.00  120 %  resets in 13 h 48 min
      "
    `);
    expect(JSON.parse((await at("budgets", "--all", "--json")).out).budgets).toHaveLength(1);
    expect((await at("alerts")).out).toContain("bursar payment 0x5d16…7c1b");
    expect((await at("alerts", "--status", "resolved")).out).toBe("No alert is resolved.\n");
    expect((await at("wallets")).out).toContain("0xe3ce20fdca4ca5aaa1f93d55825c54ef6b724766  research");
    expect((await at("sessions")).out).toContain("session-research");
    expect((await at("actions")).out).toContain("Bursar has done nothing");
    for (const list of ["alerts", "wallets", "sessions", "actions"]) {
      expect(JSON.parse((await at(list, "--json")).out)[list]).toBeInstanceOf(Array);
    }
  });

  test("an alert is shown with its samples, acknowledged, and a rule is kept quiet", async () => {
    const NAME = "settled_after_revoke/agent:research";
    expect((await at("alerts")).out).toContain(`\n          ${NAME}\n`);
    const shown = await at("alerts", "show", NAME);
    expect(shown).toMatchObject({ code: 0, err: "" });
    expect(shown.out).toContain("stands        1 payment now, 1 in all\namount        $2.00 in all of them\n");
    expect(shown.out).toContain("$2.00   bursar payment 0x5d16…7c1b");
    expect(shown.out).toContain(`Seen it? bursar ack ${NAME}/`);
    expect(await at("alerts", "show", "nothing")).toMatchObject({ code: 1, err: expect.stringContaining("No alert") });
    const mail = await at("alerts", "show", NAME, "--as", "email");
    expect(mail.out).toMatch(/^Subject: \[warning\] [ -~]+\n\n/);
    expect(mail.out).toContain("bursar payment");
    const notice = alertNotice.parse(JSON.parse((await at("alerts", "show", NAME, "--as", "json")).out));
    expect(notice).toMatchObject({ change: "opened", status: "open" });
    const [message] = JSON.parse((await at("alerts", "show", NAME, "--as", "slack")).out);
    expect(message.blocks.length).toBeGreaterThan(0);
    expect((await at("alerts", "show", NAME, "--as", "fax")).err).toContain("email, slack, json");

    const acked = await at("ack", "settled_", "--note", `seen by ${HOSTILE}`);
    expect(acked).toMatchObject({ code: 0, err: "" });
    expect(acked.out).toMatch(/^settled_after_revoke\/agent:research\/\d{4}-\d\d-\d\d is acknowledged: it is told/);
    expect((await at("ack", NAME)).out).toContain("is acknowledged already");
    expect(await at("ack", "nothing")).toMatchObject({ code: 1, err: expect.stringContaining("see bursar alerts") });
    const listed = (await at("alerts")).out;
    expect(listed).toContain(
      "No alert is open.\n\nAcknowledged, until it changes:\nwarning   settled after revocation",
    );
    expect((await at("alerts", "show", NAME)).out).toContain(': "seen by ');

    const quiet = await at("quiet", "agent:research", "--until", "2126-11-20T18:00:00Z", "--reason", "training");
    expect(quiet).toMatchObject({ code: 0, out: "quiet     agent:research until 2126-11-20 18:00:00: training\n" });
    expect((await at("alerts")).out).toContain("quiet     agent:research until 2126-11-20 18:00:00: training");
    expect((await at("quiet", "agent:research", "--end")).out).toBe("agent:research is told of again.\n");
    expect((await at("alerts")).out).not.toContain("quiet");
    expect(await at("quiet", "settled", "--end")).toMatchObject({ code: 1, err: expect.stringContaining("no rule") });
  });

  test("doctor finds it, and says what is missing", async () => {
    const { code, out } = await bursar(["doctor", "--port", port, "--data", data, "--config", configFile, "--json"]);
    expect(code).toBe(0);
    const { ok, checks } = JSON.parse(out);
    expect(ok).toBe(true);
    expect(
      Object.fromEntries(checks.map(({ name, outcome }: { name: string; outcome: string }) => [name, outcome])),
    ).toMatchObject({
      node: "ok",
      config: "ok",
      data: "ok",
      machine: "warn",
      chain: "warn",
    });
  });
});

test("doctor says which budgets mean an agent or API that is not there", async () => {
  const file = join(directory, "strangers.json");
  const budget = (scope: object) => ({ id: "b", scope, window: "day", limitUsd: "1.00" });
  const scopes = [{ agent: "reserch" }, { agent: "*" }, { api: "nobody" }, { agent: "research" }];
  const budgets = scopes.map((scope, i) => ({ ...budget(scope), id: `b${i}` }));
  const agents = { research: { wallets: [`0x${"1".repeat(40)}`] } };
  writeFileSync(file, JSON.stringify({ org: "acme", agents, budgets }));
  const { code, out } = await bursar(["doctor", "--config", file, "--data", join(directory, "none"), "--port", "1"]);
  expect(out).toContain('budgets[0].scope names the agent "reserch", and there is none, did you mean');
  expect(out).toContain('budgets[2].scope names the API "nobody", and there is none');
  expect(out.match(/there is none/g)).toHaveLength(2);
  expect(code).toBe(out.includes("fail  ") ? 1 : 0); // port 1 is for root only
});

test("when no machine runs, its directory is read", async () => {
  const idle = join(directory, "idle");
  const first = await startMachine({ data: idle, config: parseConfig({ org: "acme" }), port: 0 });
  const lines = readFileSync(new URL("events.ndjson", EXAMPLE), "utf8").trim().split("\n");
  await first.tell(lines.flatMap((line) => parseEntryText(line, "replay").told));
  const free = { url: first.url };
  await first.stop();
  // The default port may be taken by somebody's real machine: then there is nothing to show here.
  const taken = await fetch("http://127.0.0.1:4402/api/health").then(
    () => true,
    () => false,
  );
  if (!taken) {
    const shown = await bursar(["payments", "--data", idle, "--config", configFile]);
    expect(shown.out).toContain("(no machine runs)");
    const page = await bursar(["payment", LATE, "--data", idle, "--config", configFile]);
    expect(page.out).toContain("amounts     accepted $2.000000 = signed = verified = settled");
    expect((await bursar(["status", "--data", idle, "--config", configFile])).out).toContain("not running");
    const nothing = await bursar(["payments", "--data", join(directory, "nothing")]);
    expect(nothing).toMatchObject({ code: 1, out: "" });
    expect(nothing.err).toContain("holds no data. Start one: bursar start --demo");
  }
  const named = await bursar(["payments", "--url", free.url, "--data", idle]);
  expect(named).toMatchObject({
    code: 1,
    err: `bursar: No machine answers at ${free.url}. Start one: bursar start --demo\n`,
  });
});

test("what is not Bursar is not taken for it", async () => {
  const answers = ["<html>", "{}", '{"error":{"message":"token, please"}}'];
  for (const [i, body] of answers.entries()) {
    const server = createServer((_, response) => response.writeHead(i === 2 ? 401 : 200).end(body));
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    const other = String((server.address() as AddressInfo).port);
    const { code, err } = await bursar(["payments", "--port", other]);
    expect(code).toBe(1);
    expect(err).toContain(i === 2 ? "token, please. Give it with --token or BURSAR_TOKEN" : "is not Bursar");
    const doctor = await bursar(["doctor", "--port", other, "--data", data, "--config", configFile]);
    expect(doctor.code).toBe(1);
    expect(doctor.out).toContain("1 check failed.");
    server.close();
  }
});

describe("wrong use is answered with exit code 2 and the way out", () => {
  test.each([
    [["paymnts"], 'bursar has no command "paymnts". Did you mean "bursar payments"? See: bursar --help'],
    [["xyzzy"], 'bursar has no command "xyzzy". See: bursar --help'],
    [["pay"], 'Did you mean "bursar payments"?'],
    [["payments", "--verdit", "break"], "bursar payments has no option --verdit. Did you mean --verdict?"],
    [["payments", "-q"], "bursar payments has no option -q."],
    [["payments", "--verdict", "breaks"], '--verdict is "breaks": did you mean "break"?'],
    [["payments", "--limit", "0"], '--limit is "0": give a whole number from 1 to 100000.'],
    [["payments", "--limit", "-5"], "--limit needs a value"],
    [["payments", "--limit"], "--limit needs a value: --limit N."],
    [["payments", "--tx", "0xzz"], '--tx is "0xzz": give a transaction hash or its beginning'],
    [["payments", "--json=yes"], '--json takes no value, and got "yes".'],
    [["payments", "--port", "1", "--url", "http://x"], "--url and --port both say where the machine is"],
    [["payments", "--port", "4402", "--port", "4403"], "--port is given twice"],
    [["payments", "extra"], 'does not know what to do with "extra"'],
    [["payments", "--url", "ftp://x"], '--url is "ftp://x"'],
    [["payment"], "Name the payment"],
    [["replay"], "Name the file of events"],
    [["replay", "x", "--now", "yesterday"], '--now is "yesterday": give an ISO-8601 time'],
    [["replay", "x", "--now", "2026-02-30T00:00:00Z"], "--now is"],
    [["start", "--port", "99999"], '--port is "99999": give a whole number from 0 to 65535.'],
    [["--json", "payments"], "Name the command first"],
    [["alerts", "test"], "bursar alerts test comes with the delivery of alerts, and that is not in version"],
    [["ack"], "Name the alert: bursar ack"],
    [["alerts", "show"], "Name the alert: bursar alerts show"],
    [["quiet"], "Name the rule or the subject: bursar quiet"],
    [["quiet", "reverted", "--until", "+2h"], "Say why, for whoever reads the record later"],
    [["quiet", "reverted", "--reason", "x"], "Say until when: --until TIME"],
    [["quiet", "reverted", "--end", "--until", "+2h"], "--end ends it now"],
    [["budgets", "sett"], 'bursar has no command "budgets sett". Did you mean "bursar budgets set"?'],
    [["budget", "raise", "x"], 'Did you mean "bursar budgets raise"?'],
    [["budgets", "x"], 'bursar budgets does not know what to do with "x"'],
    [[HOSTILE], 'has no command "[2J[31mpwnedsecond line"'],
  ])("bursar %j", async (argv, expected) => {
    const { code, out, err } = await bursar(argv);
    expect(err).toContain(expected);
    expect(err.trimEnd().split("\n").length).toBeLessThanOrEqual(2);
    expect({ code, out }).toEqual({ code: 2, out: "" });
  });

  test.each([
    [["replay", "nope.ndjson"], "nope.ndjson cannot be read: there is no such file."],
    [["replay", tmpdir()], "is a directory: name one file of events"],
    [["replay", "x", "--config", "nope.json"], "nope.json: no such file"],
  ])("bursar %j failed: exit code 1", async (argv, expected) => {
    const { code, err } = await bursar(argv);
    expect(err).toContain(expected);
    expect(code).toBe(1);
  });
});

describe("help", () => {
  test("the whole starts with what to try", async () => {
    const { code, out } = await bursar(["--help"]);
    expect(code).toBe(0);
    expect(out).toMatchSnapshot();
  });

  test.each(COMMANDS.map(({ name }) => name))("of %s starts with examples and fits 100 columns", async (name) => {
    const { code, out } = await bursar([...name.split(" "), "--help"]);
    expect(code).toBe(0);
    expect(out.split("\n")[2]).toBe("Examples");
    for (const line of out.split("\n")) expect(line.length).toBeLessThanOrEqual(100);
    expect(out).toMatchSnapshot();
    expect((await bursar(["help", ...name.split(" ")])).out).toBe(out);
  });

  test("a command that is not there yet is not in it", async () => {
    expect((await bursar(["--help"])).out).not.toMatch(/\b(resolve|redrive|export)\b/);
  });
});
