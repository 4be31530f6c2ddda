/** One attempt ends, whatever the SDK does with its signal. */
import { expect, test } from "vitest";
import { attempt, CLOSED } from "../src/attempt.ts";

const never = () => new Promise<never>(() => {});

test("closed before it began", async () => {
  const outcome = await attempt(never, 60_000, AbortSignal.abort());
  expect(outcome).toEqual({ kind: "again", reason: CLOSED, retryAfterMs: null });
});

test("closed while it waits, by a client that ignores the signal", async () => {
  const closing = new AbortController();
  const outcome = attempt(never, 60_000, closing.signal);
  closing.abort();
  expect(await outcome).toMatchObject({ kind: "again", reason: CLOSED });
});

test("its time is up: the request is aborted and the reason says how long it was", async () => {
  let aborted = false;
  const send = (signal: AbortSignal) => {
    signal.addEventListener("abort", () => {
      aborted = true;
    });
    return never();
  };
  expect(await attempt(send, 5, new AbortController().signal)).toMatchObject({ reason: "no answer within 5 ms" });
  expect(aborted).toBe(true);
});
