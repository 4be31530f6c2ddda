/** Deadlines that pass without a word: the sweep writes what time alone has changed, once. */
import { describe, expect, test } from "vitest";
import { correlate } from "../src/correlate.ts";
import { eachPayment } from "../src/lists.ts";
import { sweep } from "../src/sweep.ts";
import { worldOf } from "../src/world.ts";
import { emptyMemory, memoryStore } from "./memory-store.ts";
import { agent, at, config, hash, honest, idOf } from "./story.ts";

const world = worldOf(config);

describe("sweep", () => {
  test("breaks a silence at its deadline, once, and leaves nothing due", async () => {
    const memory = emptyMemory();
    const store = memoryStore(memory);
    const silent = honest("7", "4").filter(({ event }) => !event.type.startsWith("agent."));
    await correlate(store, world, silent, at(10));
    expect(await sweep(store, world, at(302))).toEqual([]);

    const [change, ...more] = await sweep(store, world, at(303));
    expect(more).toEqual([]);
    expect([change?.before.assessed?.verdict, change?.after.assessed?.verdict]).toEqual(["pending", "break"]);
    expect(change?.after.assessed?.breaks).toEqual(["unreported_by_agent"]);
    expect([...memory.items.values()].filter((item) => item.index?.due !== undefined)).toEqual([]);
    expect(await sweep(store, world, at(999))).toEqual([]);
    expect(memory.items.get(`PAY#${idOf("7")}\u0000.`)?.version).toBe((change?.before.version ?? 0) + 1);
  });

  test("a hash that nobody claims stays in its reporter's list", async () => {
    const store = memoryStore();
    const answer = agent("research")("response_received", 0, { txHash: hash("4"), status: 200, settled: true });
    await correlate(store, world, [answer], at(1));
    expect((await sweep(store, world, at(120))).map(({ after }) => after.listed)).toEqual(["research"]);
    const listed = [];
    for await (const { payment } of eachPayment(store, world, at(120), "research", null)) listed.push(payment.breaks);
    expect(listed).toEqual([["not_on_chain"]]);
  });
});
