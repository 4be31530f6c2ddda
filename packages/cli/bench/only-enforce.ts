import { benchEnforce } from "./enforce.ts";

await benchEnforce(Number(process.argv[2] ?? 200));
