/** The AWS SDK's clients, one a region: a payment manager is reached in its own region only. */
import { BedrockAgentCoreClient, type BedrockAgentCoreClientConfig } from "@aws-sdk/client-bedrock-agentcore";

export type Credentials = NonNullable<BedrockAgentCoreClientConfig["credentials"]>;

export interface ClientOptions {
  /** A local data plane; by default AWS's own for the region. */
  readonly endpoint?: string | undefined;
  /** By default the SDK's own chain: environment, profile, role of the machine. */
  readonly credentials?: Credentials | undefined;
  readonly timeoutMs: number;
}

export interface Clients {
  /** Null beyond REGIONS_MAX: AWS has fewer, so the names are made up. */
  in(region: string): BedrockAgentCoreClient | null;
  close(): void;
}

export const REGIONS_MAX = 64;

export function createClients({ endpoint, credentials, timeoutMs }: ClientOptions): Clients {
  const clients = new Map<string, BedrockAgentCoreClient>();
  function create(region: string): BedrockAgentCoreClient {
    return new BedrockAgentCoreClient({
      region,
      ...(endpoint === undefined ? {} : { endpoint }),
      ...(credentials === undefined ? {} : { credentials }),
      // Our own retries are bounded, jittered and tested; two layers would multiply.
      maxAttempts: 1,
      requestHandler: { connectionTimeout: timeoutMs, requestTimeout: timeoutMs, throwOnRequestTimeout: true },
    });
  }
  return {
    in(region) {
      const known = clients.get(region);
      if (known !== undefined) return known;
      if (clients.size >= REGIONS_MAX) return null;
      const client = create(region);
      clients.set(region, client);
      return client;
    },
    close() {
      for (const client of clients.values()) client.destroy();
      clients.clear();
    },
  };
}
