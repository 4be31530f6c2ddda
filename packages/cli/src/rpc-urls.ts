/** The RPC URLs of a config: those that are secrets come from the environment, under the secret's own name. */
import type { Env } from "./terminal/screen.ts";

export interface RpcUrls {
  readonly urls: readonly string[];
  /** Secrets that the environment does not have. */
  readonly missing: readonly string[];
}

/** A secret `ArbitrumRpcUrl` is looked for as `ArbitrumRpcUrl`, then as `ARBITRUM_RPC_URL`. */
export function rpcUrlsOf(configured: readonly (string | { readonly secret: string })[], env: Env): RpcUrls {
  const urls: string[] = [];
  const missing: string[] = [];
  for (const one of configured) {
    const url = typeof one === "string" ? one : (env[one.secret] ?? env[shouted(one.secret)]);
    if (url === undefined || url === "") missing.push(typeof one === "string" ? one : one.secret);
    else urls.push(url);
  }
  return { urls, missing };
}

const shouted = (name: string): string =>
  name
    .replace(/([a-z0-9])([A-Z])/g, "$1_$2")
    .replace(/[^A-Za-z0-9]+/g, "_")
    .toUpperCase();
