/** What was accepted, signed, verified and settled, on one line: equal or not. */
import type { StoryFact } from "../story.ts";
import { amount } from "./figures.ts";
import type { Signs } from "./style.ts";

type Value = { readonly [field: string]: unknown };

/** Null where no fact names an amount. `agree` is about the figures alone: the verdict knows schemes, too. */
export function amountsLine(story: readonly StoryFact[], signs: Signs): { text: string; agree: boolean } | null {
  const stages = STAGES.map(({ name, of }) => ({ name, amounts: distinct(story.flatMap((fact) => of(fact) ?? [])) }));
  const said = stages.filter(({ amounts }) => amounts.length > 0);
  if (said.length === 0) return null;
  let text = "";
  let before: string | null = null;
  for (const { name, amounts } of said) {
    const figure = amounts.map((units) => amount(units)).join(" and ");
    const same = figure === before;
    if (before === null) text = `${name} ${figure}`;
    else text += same ? ` = ${name}` : ` ${signs.yes === "✓" ? "≠" : "!="} ${name} ${figure}`;
    before = figure;
  }
  return { text, agree: distinct(said.flatMap(({ amounts }) => amounts)).length === 1 };
}

const field = (type: string, path: (value: Value) => unknown) => (fact: StoryFact) => {
  if (fact.type !== type || fact.value === null) return null;
  const units = path(fact.value);
  return typeof units === "string" && /^\d+$/.test(units) ? units : null;
};

const STAGES: readonly { name: string; of: (fact: StoryFact) => string | null }[] = [
  {
    name: "accepted",
    of: field("agent.authorization_requested", (value) => (value.accepted as Value | undefined)?.amount),
  },
  { name: "signed", of: field("agent.authorization_signed", (value) => value.amount) },
  { name: "verified", of: field("api.verification_started", (value) => value.amount) },
  {
    name: "settled",
    of: (fact) =>
      field("chain.settled", (value) => value.amount)(fact) ??
      field("chain.transferred", (value) => value.amount)(fact),
  },
];

const distinct = (list: readonly string[]): string[] => [...new Set(list)];
