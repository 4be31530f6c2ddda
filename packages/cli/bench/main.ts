/** `npm run bench`: every figure of BENCHMARKS.md that one machine can give, one after the other. */
import { benchEnforce } from "./enforce.ts";
import { benchPutEvents } from "./put-events.ts";
import { benchRace } from "./race.ts";
import { benchReplay } from "./replay.ts";
import { benchWatch } from "./watch.ts";

await benchReplay();
await benchPutEvents();
await benchEnforce();
await benchRace();
await benchWatch();
