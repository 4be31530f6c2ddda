import type { Input } from "../args.ts";
import type { Io } from "../io.ts";

export async function run(_input: Input, _io: Io): Promise<number> {
  return 1;
}
