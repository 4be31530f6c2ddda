import { benchPutEvents } from "./put-events.ts";

await benchPutEvents(Number(process.argv[2] ?? 1_000));
