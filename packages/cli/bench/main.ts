/** `npm run bench`: every figure of BENCHMARKS.md that one machine can give, one after the other. */
import { benchPutEvents } from "./put-events.ts";
import { benchReplay } from "./replay.ts";

await benchReplay();
await benchPutEvents();
