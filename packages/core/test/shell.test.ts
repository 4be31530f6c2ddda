/** A command of ours, given to a real shell, arrives word for word. */
import { execFileSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { commandLine, shellWord } from "../src/shell.ts";

describe("a word", () => {
  const words = ["plain", "a b", "it's", "''", "$(id)", "`id`", "*", "~", "a;b", "a&b", "!x", "#c", "a\\b", '"q"', ""];

  test("is read by a shell as it was", () => {
    const line = words.map(shellWord).join(" ");
    const read = execFileSync("/bin/sh", ["-c", `printf '%s\\n' ${line}`], { encoding: "utf8" });
    expect(read.split("\n").slice(0, -1)).toEqual(words);
  });

  test("is not quoted where it need not be", () => {
    expect(shellWord("agent=research")).toBe("agent=research");
    expect(shellWord("org=*")).toBe("'org=*'");
  });
});

describe("a command", () => {
  test("has its name, what it is about, and its options", () => {
    expect(commandLine({ name: "budgets raise", about: "gambler-day", options: { to: "10.00", until: "+2h" } })).toBe(
      "bursar budgets raise gambler-day --to 10.00 --until +2h",
    );
    expect(commandLine({ name: "watch", options: { once: null } })).toBe("bursar watch --once");
  });

  test("keeps a name that starts with a dash a name", () => {
    expect(commandLine({ name: "freeze", about: "-x", options: { reason: "WHY" } })).toBe(
      "bursar freeze --reason WHY -- -x",
    );
    expect(commandLine({ name: "payments", options: { agent: "-x" } })).toBe("bursar payments --agent=-x");
  });
});
