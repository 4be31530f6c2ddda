import { benchWatch } from "./watch.ts";

await benchWatch(Number(process.argv[2] ?? 60));
