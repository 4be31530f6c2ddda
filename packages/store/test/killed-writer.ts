/**
 * A process that writes until it is killed, for lmdb.test.ts: `node --import tsx killed-writer.ts <directory>`. Each round
 * commits a pair of items and an add, many rounds in flight; it prints a round's number once it is acknowledged.
 */
import { writeSync } from "node:fs";
import { openLmdbStore } from "../src/lmdb.ts";

const store = await openLmdbStore(process.argv[2] as string);
const WRITERS = 20;
const ROUNDS_MAX = 100_000;

async function write(writer: number): Promise<void> {
  let version: number | null = null;
  for (let round = 1; round <= ROUNDS_MAX; round += 1) {
    const fact = { pk: `AL#${writer}`, sk: `F#${String(round).padStart(6, "0")}`, data: round };
    await store.putAll([fact]);
    const index = { due: { partition: "due", sort: `${writer}#${String(round).padStart(6, "0")}` } };
    const answer = await store.commit(
      [
        { pk: `PAY#${writer}`, sk: "a", data: round, index, expected: version },
        { pk: `PAY#${writer}`, sk: "b", data: round, expected: version },
      ],
      [{ pk: `CTR#${writer}`, sk: "HELD", amount: 10n ** 30n }],
    );
    if (answer !== "done") throw new Error(`writer ${writer}, round ${round}: ${answer}`);
    version = round;
    writeSync(1, `${writer} ${round}\n`);
  }
}

await Promise.all(Array.from({ length: WRITERS }, (_, writer) => write(writer)));
