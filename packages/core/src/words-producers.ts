/** Words for what producers send, and for those who fall silent. */
import type { Facts } from "./alert-facts.ts";
import { capital } from "./alert-text.ts";
import { doThis } from "./alert-todos.ts";
import type { RuleWords } from "./alert-words.ts";
import type { OwnRule } from "./rule-names.ts";

type ProducerRule = Extract<OwnRule, "quarantined" | "oversized_entry" | "silent_producer">;

function producer({ agentId, apiId }: Facts): string {
  if (apiId !== null) return `API ${apiId}`;
  return agentId === null ? "a source that Bursar does not know" : `agent ${agentId}`;
}

/** In a title: a source of nobody's has no name there. */
const titled = (f: Facts): string => (f.agentId === null && f.apiId === null ? "unknown source" : f.name);

export const PRODUCER_WORDS: { readonly [Rule in ProducerRule]: RuleWords } = {
  quarantined: {
    title: (f) => `${titled(f)}: ${f.counted("event")} not readable`,
    what: (f) =>
      `${f.counted("event")} from ${producer(f)} could not be read, and what ${f.alert.count === 1 ? "it says is" : "they say is"} missing from Bursar's picture. The reasons stand below.`,
    did: () => ["Set them aside (quarantined) with the reason. None is lost, and all others go on."],
    todo: (f) => [
      doThis(
        "Correct the producer by the reasons below; the contract is packages/events/schema/payment.events.v1.json.",
      ),
      f.stage === null
        ? doThis("Then let it send them again.")
        : doThis("Then have them read again.", f.run("redrive")),
    ],
  },
  oversized_entry: {
    title: (f) => `${titled(f)}: sends too many events at once`,
    what: (f) =>
      `${capital(producer(f))} sent ${f.counted("entry", "entries")} with more than the 50 events that the contract allows. They were read; an entry with more than 1,000 events is set aside whole.`,
    did: () => ["Took the events as they are."],
    todo: () => [doThis("Let the producer send at most 50 events in one entry; @bursar/sdk does.")],
  },
  silent_producer: {
    title: (f) => `${titled(f)}: has fallen silent`,
    what: (f) =>
      `Nothing has come from ${producer(f)} for much longer than usual: it is down, idle, or its reporting is broken. If it still pays, Bursar sees that on the chain only.`,
    todo: (f) => [
      doThis("Check that it runs, that its events can be sent, and what its log says of @bursar/sdk."),
      doThis("See whether it still pays.", f.run("payments", null, f.agentId === null ? {} : { agent: f.agentId })),
      doThis("Check that Bursar itself hears events.", f.run("status")),
    ],
  },
};
