/** The life of an alert: what was seen, and what people were told, message by message. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { AlertChange } from "../src/alert-shape.ts";
import {
  type AlertName,
  type AlertRecord,
  acknowledged,
  type Counting,
  FLAP_MS,
  type Manner,
  nextAlert,
  type Seen,
  stepOf,
} from "../src/alert-state.ts";

const PLAIN: Manner = { severity: null, tell: true, tellEnd: true, quietUntil: null };
const MINUTE = 60;
const at = (seconds: number): string => new Date(Date.UTC(2026, 10, 20, 10) + seconds * 1000).toISOString();

const seen = (count: number, standing: number, fields: Partial<Seen> = {}): Seen => ({
  stands: standing > 0,
  count,
  standing,
  severity: "warning",
  agentId: "research",
  amount: null,
  samples: Array.from({ length: Math.min(count, 12) }, (_, i) => ({ at: at(i), text: "$1.00", paymentId: `p${i}` })),
  text: `${count} times`,
  overText: "over",
  at: at(0),
  until: null,
  ...fields,
});

/** One alert lived through step by step. */
function life(counting: Counting = "payments", manner: Manner = PLAIN) {
  const name: AlertName = {
    id: "reverted/agent:research/2026-11-20",
    rule: "reverted",
    subject: "agent:research",
    counting,
  };
  let kept: AlertRecord | null = null;
  const told: AlertChange[] = [];
  const self = {
    told,
    get kept() {
      if (kept === null) throw new Error("there is no alert");
      return kept as AlertRecord;
    },
    see(seconds: number, found: Seen | null, how = manner) {
      const next = nextAlert(name, kept, found, at(seconds), how);
      kept = next.kept;
      if (next.told !== null) told.push(next.told);
      return next.change;
    },
    /** As the sweep does: looks when the alert says that time may change something. */
    wait(seconds: number, how = manner) {
      while (kept !== null && kept.lookAt !== null && kept.lookAt <= at(seconds)) {
        const look: number = (Date.parse(kept.lookAt) - Date.parse(at(0))) / 1000;
        const found: Seen | null =
          counting === "payments" ? seen(kept.count, kept.status === "resolved" ? 0 : 1) : null;
        self.see(look, found, how.quietUntil !== null && how.quietUntil <= at(look) ? PLAIN : how);
      }
    },
    ack(seconds: number, note: string | null = null, how = manner) {
      const next = acknowledged(self.kept, note, at(seconds), how);
      if (next === null) return null;
      kept = next.kept;
      if (next.told !== null) told.push(next.told);
      return next.change;
    },
  };
  return self;
}

describe("an alert", () => {
  test("opens, escalates at each power of ten, resolves, is opened again: one message each", () => {
    const alert = life();
    const changes = [1, 2, 9, 10, 11, 99, 100, 5_000, 10_000].map((count, i) => alert.see(i, seen(count, 1)));
    expect(changes).toEqual(["opened", null, null, "escalated", null, null, "escalated", "escalated", "escalated"]);
    expect(alert.see(20, seen(10_000, 0))).toBe("resolved");
    expect(alert.kept).toMatchObject({ status: "resolved", text: "over", updatedAt: at(20), lookAt: null });
    expect(alert.see(20 + 11 * MINUTE, seen(10_001, 1, { at: at(700) }))).toBe("reopened");
    expect(alert.kept).toMatchObject({ status: "open", openedAt: at(700), reopened: 1, step: 4, count: 10_001 });
    expect(alert.told).toEqual(["opened", "escalated", "escalated", "escalated", "escalated", "resolved", "reopened"]);
  });

  test("that jumps over powers of ten tells one message", () => {
    const alert = life();
    alert.see(0, seen(1, 1));
    expect(alert.see(1, seen(7_000, 7_000))).toBe("escalated");
    expect([alert.kept.step, alert.told]).toEqual([3, ["opened", "escalated"]]);
  });

  test("whose cause came and went before anybody looked is none", () => {
    const alert = life();
    expect(alert.see(0, seen(3, 0))).toBeNull();
    expect(() => alert.kept).toThrow();
  });

  test("keeps ten samples at most, each once, the first ones", () => {
    const alert = life();
    alert.see(0, seen(3, 3));
    alert.see(1, seen(12, 12));
    expect(alert.kept.samples.map(({ paymentId }) => paymentId)).toEqual(Array.from({ length: 10 }, (_, i) => `p${i}`));
  });

  test("judged again as it is changes nothing, not even what is kept", () => {
    const alert = life();
    alert.see(0, seen(12, 5));
    const before = alert.kept;
    expect(alert.see(5, seen(12, 5))).toBeNull();
    expect(alert.see(6, seen(19, 2))).toBeNull();
    expect(alert.kept).toBe(before);
  });
});

describe("an acknowledgement", () => {
  test("holds for more of the same, and ends with the next power of ten", () => {
    const alert = life();
    alert.see(0, seen(3, 3));
    expect(alert.ack(1, "the API is down")).toBe("acknowledged");
    expect(alert.kept).toMatchObject({ status: "acknowledged", acknowledged: { at: at(1), note: "the API is down" } });
    expect(alert.ack(2)).toBeNull();
    for (const count of [4, 5, 9]) expect(alert.see(count, seen(count, count))).toBeNull();
    expect(alert.kept.status).toBe("acknowledged");
    expect(alert.see(10, seen(10, 10))).toBe("escalated");
    expect(alert.kept).toMatchObject({ status: "open", acknowledged: null });
    expect(alert.told).toEqual(["opened", "acknowledged", "escalated"]);
  });

  test("ends with a resolution, and a reopening is open", () => {
    const alert = life();
    alert.see(0, seen(1, 1));
    alert.ack(1);
    expect(alert.see(2, seen(1, 0))).toBe("resolved");
    expect(alert.ack(3)).toBeNull();
    expect(alert.see(2_000, seen(2, 1))).toBe("reopened");
    expect(alert.kept).toMatchObject({ status: "open", acknowledged: null });
    expect(alert.told).toEqual(["opened", "acknowledged", "resolved", "reopened"]);
  });
});

describe("an end by time", () => {
  test("resolves it at that time, and says so where that is news", () => {
    const until = at(3600);
    for (const [tellEnd, told] of [
      [true, ["opened", "resolved"]],
      [false, ["opened"]],
    ] as const) {
      const alert = life("openings", { ...PLAIN, tellEnd });
      alert.see(0, seen(1, 1, { until }));
      expect(alert.kept.lookAt).toBe(until);
      expect(alert.see(10, null)).toBeNull();
      alert.wait(4_000);
      expect(alert.kept).toMatchObject({ status: "resolved", updatedAt: until, lookAt: null });
      expect(alert.told).toEqual(told);
    }
  });

  test("does not end what is seen to go on: no resolution and reopening", () => {
    const alert = life("openings");
    alert.see(0, seen(1, 1, { until: at(60) }));
    expect(alert.see(61, seen(1, 1, { until: at(120) }))).toBeNull();
    expect(alert.kept).toMatchObject({ status: "open", until: at(120), lookAt: at(120) });
  });

  test("an event told again after it opens nothing; a new one does", () => {
    const alert = life("events");
    alert.see(0, seen(2, 1, { until: at(60) }));
    alert.see(60, null);
    expect(alert.see(90, seen(2, 1))).toBeNull();
    expect(alert.see(91, seen(3, 1))).toBe("reopened");
  });
});

describe("flapping", () => {
  test("tells three messages, then nothing for ten minutes, then how it stands", () => {
    const alert = life();
    for (let i = 0; i < 100; i++) alert.see(i, seen(1, (i + 1) % 2));
    expect(alert.told).toEqual(["opened", "resolved", "reopened"]);
    expect(alert.kept).toMatchObject({ status: "resolved", reopened: 49, lookAt: at(2 + FLAP_MS / 1000) });
    alert.wait(2 + FLAP_MS / 1000);
    expect(alert.told).toEqual(["opened", "resolved", "reopened", "resolved"]);
    alert.wait(86_400);
    expect(alert.told).toHaveLength(4);
  });

  test("that stays up at the end of its hold is not told again", () => {
    const alert = life();
    for (let i = 0; i < 101; i++) alert.see(i, seen(1, (i + 1) % 2));
    alert.wait(86_400);
    expect(alert.kept.status).toBe("open");
    expect(alert.told).toEqual(["opened", "resolved", "reopened"]);
  });

  test("for a whole day is a handful of messages, and the last one is true", () => {
    const alert = life();
    for (let i = 0; i < 8_640; i++) {
      alert.wait(i * 10);
      alert.see(i * 10, seen(1, (i + 1) % 2));
    }
    alert.wait(2 * 86_400);
    expect(alert.told.length).toBeLessThan(30);
    expect(alert.told.at(-1)).toBe("resolved");
  });

  test("an escalation is told all the same", () => {
    const alert = life();
    for (let i = 0; i < 21; i++) alert.see(i, seen(1, (i + 1) % 2));
    expect(alert.see(30, seen(10, 10))).toBe("escalated");
    expect(alert.told.at(-1)).toBe("escalated");
  });
});

describe("kept quiet", () => {
  const quiet: Manner = { ...PLAIN, quietUntil: at(3600) };

  test("nothing is told, and at the end what stands then", () => {
    const alert = life("payments", quiet);
    alert.see(0, seen(1, 1));
    alert.see(1, seen(10, 10));
    expect([alert.told, alert.kept.lookAt, alert.kept.quietUntil]).toEqual([[], at(3600), at(3600)]);
    alert.wait(3600);
    expect(alert.told).toEqual(["opened"]);
    expect(alert.see(4_000, seen(10, 0), PLAIN)).toBe("resolved");
    expect(alert.told).toEqual(["opened", "resolved"]);
  });

  test("what began and ended in it is never told", () => {
    const alert = life("payments", quiet);
    alert.see(0, seen(1, 1));
    alert.see(1, seen(1, 0));
    alert.wait(10_000);
    expect(alert.told).toEqual([]);
  });

  test("what was told of before is told to be over at its end", () => {
    const alert = life();
    alert.see(0, seen(1, 1));
    alert.see(1, seen(1, 0), quiet);
    expect(alert.told).toEqual(["opened"]);
    alert.wait(3600, quiet);
    expect(alert.told).toEqual(["opened", "resolved"]);
  });
});

test("a rule that is not told lives on in silence", () => {
  const alert = life("payments", { ...PLAIN, tell: false });
  expect([alert.see(0, seen(1, 1)), alert.see(1, seen(10, 1)), alert.see(2, seen(10, 0))]).toEqual([
    "opened",
    "escalated",
    "resolved",
  ]);
  expect(alert.told).toEqual([]);
});

test("the config's severity stands over the rule's", () => {
  const alert = life("payments", { ...PLAIN, severity: "info" });
  alert.see(0, seen(1, 1, { severity: "critical" }));
  expect(alert.kept.severity).toBe("info");
});

test("steps are powers of ten", () => {
  expect([0, 1, 9, 10, 99, 100, 999, 1_000, 10_000].map(stepOf)).toEqual([0, 0, 0, 1, 1, 2, 2, 3, 4]);
});

describe("whatever happens", () => {
  const step = fc.record({
    after: fc.integer({ min: 0, max: 3_000 }),
    more: fc.integer({ min: 0, max: 40 }),
    standing: fc.integer({ min: 0, max: 3 }),
    ack: fc.boolean(),
    twice: fc.boolean(),
  });

  test("no message has the key of another, what was told is true in the end, and a second judgement tells nothing", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const alert = life();
        const keys: string[] = [];
        const noted = (before: number) => {
          if (alert.told.length === before) return;
          const { status, step: power, reopened } = alert.kept;
          keys.push(`${status}/${power}-${reopened}`);
        };
        let [now, count] = [0, 1];
        for (const { after, more, standing, ack, twice } of steps) {
          now += after;
          count += more;
          let before = alert.told.length;
          alert.see(now, seen(count, standing));
          noted(before);
          before = alert.told.length;
          if (twice) alert.see(now, seen(count, standing));
          expect(alert.told).toHaveLength(before);
          if (ack && count > 1 && standing > 0) {
            alert.ack(now);
            noted(before);
          }
        }
        const before = alert.told.length;
        alert.wait(now + 1_000_000);
        noted(before);
        expect(new Set(keys).size).toBe(keys.length);
        if (alert.told.length === 0) return;
        const { status, told } = alert.kept;
        expect(told?.isOver).toBe(status === "resolved");
      }),
      { numRuns: 2_000 },
    );
  });
});
