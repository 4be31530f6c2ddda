import { benchRace } from "./race.ts";

await benchRace(Number(process.argv[2] ?? 5));
