/** What a start says: what runs, where its data is, what to do next. */
import { count, duration, shortHex } from "./figures.ts";
import type { Screen } from "./screen.ts";
import { painter, signsOf } from "./style.ts";
import { padEnd, safe, widthOf, wrap } from "./text.ts";

export interface Banner {
  readonly version: string;
  readonly edition: string;
  readonly seconds: number;
  readonly chain: string;
  readonly apis: readonly { readonly id: string; readonly url: string; readonly note: string }[];
  readonly agents: readonly string[];
  readonly data: string;
  readonly url: string;
  readonly tries: readonly string[];
  /** What the user should know before anything happens. */
  readonly notes: readonly string[];
}

const LABEL = 11;

export function bannerLines(banner: Banner, screen: Screen): string[] {
  const paint = painter(screen);
  const { dot } = signsOf(screen);
  const width = Math.min(screen.columns, 100);
  const title = `Bursar ${banner.version} ${dot} ${banner.edition}`;
  const ready = `ready in ${duration(banner.seconds)}`;
  const gap = " ".repeat(Math.max(2, width - widthOf(title) - widthOf(ready)));
  const row = (label: string, text: string) =>
    wrap(text, width - LABEL - 2).map((line, i) => `  ${paint("dim", padEnd(i === 0 ? label : "", LABEL))}${line}`);
  const names = Math.max(0, ...banner.apis.map(({ id }) => id.length));
  return [
    `${paint("bold", title)}${gap}${paint("green", ready)}`,
    ...row("chain", safe(banner.chain)),
    ...banner.apis.flatMap(({ id, url, note }, i) => {
      const text = `${padEnd(safe(id), names)}  ${safe(url)}  ${safe(note)}`.trimEnd();
      return [
        `  ${paint("dim", padEnd(i === 0 ? (banner.apis.length > 1 ? "paid APIs" : "paid API") : "", LABEL))}${text}`,
      ];
    }),
    ...(banner.agents.length === 0 ? [] : row("agents", safe(banner.agents.join(", ")))),
    ...row("data", safe(banner.data)),
    `  ${paint("dim", padEnd("api", LABEL))}${paint("cyan", `${banner.url}/api`)}`,
    `  ${paint("dim", padEnd("events", LABEL))}${paint("cyan", `${banner.url}/aws/events`)}  (EventBridge PutEvents)`,
    ...row("try", banner.tries.join(` ${dot} `)),
    ...banner.notes.flatMap((note) =>
      wrap(note, width - LABEL - 2).map(
        (line, i) => `  ${paint("yellow", padEnd(i === 0 ? "note" : "", LABEL))}${line}`,
      ),
    ),
    "",
  ];
}

/** "Arbitrum (local anvil, id 42161), USDC 0xaf88…5831, block 1,204" */
export function localChainText(
  chain: { readonly id: number; readonly usdc: string; readonly block: number },
  screen: Screen,
): string {
  return `Arbitrum (local anvil, id ${chain.id}), USDC ${shortHex(chain.usdc.toLowerCase(), signsOf(screen))}, block ${count(chain.block)}`;
}
