/** The commands that alerts tell people to type: each is one that this CLI takes, or that a named part brings. */
import { readdirSync, readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { expect, test } from "vitest";
import { parseInput } from "../src/args.ts";
import { COMMANDS, LATER } from "../src/commands.ts";

/** The golden messages of core: what people will have before them. */
const MAILS = new URL("../../core/test/fixtures/alerts/", import.meta.url);

function commandsTold(): string[] {
  const commands = new Set<string>();
  for (const name of readdirSync(MAILS).filter((file) => file.endsWith(".txt"))) {
    const text = readFileSync(new URL(name, MAILS), "utf8").replaceAll(/ \\\n +/g, " ");
    for (const [, command] of text.matchAll(/^ +bursar (.+)$/gm)) commands.add(command as string);
  }
  return [...commands].sort();
}

/** The words as a shell gives them on; in these lines only single quotes quote. */
const wordsOf = (line: string): string[] =>
  [...line.matchAll(/(?:'[^']*'|[^' ])+/g)].map(([word]) => word.replaceAll("'", ""));

test.each(commandsTold().map((line) => [line]))("bursar %s", (line) => {
  const words = wordsOf(line);
  const [one = "", two = ""] = words;
  const spec = COMMANDS.find(({ name }) => name === `${one} ${two}`) ?? COMMANDS.find(({ name }) => name === one);
  if (LATER[`${one} ${two}`] !== undefined || LATER[one] !== undefined) return;
  expect(spec, `no command ${one}`).toBeDefined();
  if (spec === undefined) return;
  const rest = words.slice(spec.name.split(" ").length);
  // The stage is an option of every command once the AWS edition is there.
  const options = { ...spec.options, stage: { type: "string", help: "" } as const };
  const input = parseInput(spec.name, rest, options, spec.positionalsMax);
  expect(input.positionals.length).toBeLessThanOrEqual(spec.positionalsMax);
  expect(parseArgs({ args: rest, strict: false, allowPositionals: true }).values).not.toHaveProperty("help");
});

test("there are some", () => {
  expect(commandsTold().length).toBeGreaterThan(20);
});
