/** An ear where the machine would be: it takes PutEvents and keeps what each source said. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { parseEntryText } from "@bursar/events/envelope";

export interface Heard {
  /** Such as `research` or `reports`. */
  readonly who: string;
  readonly type: string;
  readonly txHash: string | undefined;
  readonly status: number | undefined;
  readonly settled: boolean | undefined;
  readonly payer: string | undefined;
  readonly nonce: string | undefined;
  readonly sessionId: string | undefined;
  readonly processPaymentId: string | undefined;
  readonly instrumentId: string | undefined;
  readonly reason: string | undefined;
}

export interface Ear {
  readonly endpoint: string;
  readonly heard: readonly Heard[];
  readonly quarantined: readonly unknown[];
  close(): void;
}

export async function openEar(): Promise<Ear> {
  const heard: Heard[] = [];
  const quarantined: unknown[] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (text: string) => {
      body += text;
    });
    request.on("end", () => {
      const { Entries } = JSON.parse(body) as { Entries: { Source: string; DetailType: string; Detail: string }[] };
      for (const { Source, DetailType, Detail } of Entries) {
        const detail = JSON.parse(Detail) as unknown;
        const entry = parseEntryText(
          JSON.stringify({ id: "x", source: Source, "detail-type": DetailType, detail }),
          "bus",
        );
        quarantined.push(...entry.quarantined);
        for (const { source, event } of entry.told) {
          const said = event as Partial<Heard> & {
            type: string;
            payment?: { payer?: string; nonce?: string };
            session?: { sessionId: string };
          };
          const { type, txHash, status, settled, payment, session, processPaymentId, instrumentId, reason } = said;
          heard.push({
            who: "id" in source ? source.id : source.kind,
            type,
            txHash,
            status,
            settled,
            payer: payment?.payer,
            nonce: payment?.nonce,
            sessionId: session?.sessionId,
            processPaymentId,
            instrumentId,
            reason,
          });
        }
      }
      response.setHeader("content-type", "application/x-amz-json-1.1");
      response.end(JSON.stringify({ FailedEntryCount: 0, Entries: Entries.map(() => ({ EventId: "x" })) }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    heard,
    quarantined,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
