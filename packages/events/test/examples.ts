/** The examples of `bursar replay`, line by line, as they stand in the repository. */
import { readdirSync, readFileSync } from "node:fs";

const FOLDER = new URL("../../../test/fixtures/examples/", import.meta.url);

export interface Example {
  readonly name: string;
  readonly lines: readonly string[];
  readonly config: unknown;
  readonly quarantined: { readonly count?: number; readonly ids?: readonly string[] };
}

export const examples: readonly Example[] = readdirSync(FOLDER, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => {
    const read = (file: string) => readFileSync(new URL(`${name}/${file}`, FOLDER), "utf8");
    const expected = JSON.parse(read("expect.json")) as { quarantined?: Example["quarantined"] };
    const lines = read("events.ndjson")
      .split("\n")
      .filter((line) => line.trim() !== "");
    return { name, lines, config: JSON.parse(read("config.json")), quarantined: expected.quarantined ?? {} };
  });
