/** `bursar wallets`: the governed wallets, what they hold and how long that lasts. */
import type { Wallet } from "@bursar/events/shapes";
import type { Input } from "../args.ts";
import { EXIT } from "../errors.ts";
import { type Io, printJson, printLines } from "../io.ts";
import { openReader, type Reader } from "../reader.ts";
import { walletLines } from "../terminal/wallet-table.ts";

export async function run(input: Input, io: Io): Promise<number> {
  const reader = await openReader(input, io);
  try {
    const page = await reader.wallets();
    if (input.flag("json")) printJson(io, page);
    else printLines(io, linesOf(page.wallets, reader, io));
    return EXIT.done;
  } finally {
    await reader.close();
  }
}

function linesOf(wallets: readonly Wallet[], reader: Reader, io: Io): string[] {
  if (wallets.length === 0)
    return ["No wallets: name them in bursar.config.ts under agents, or let an agent sign with one."];
  const from = reader.health === null ? reader.from : null;
  return walletLines(wallets, from, io.now().toISOString(), io.screen());
}
