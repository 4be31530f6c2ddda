import { benchReplay } from "./replay.ts";

await benchReplay(Number(process.argv[2] ?? 15_000));
