/** The load of the PutEvents bench, in a process of its own: unmodified EventBridgeClients that send as fast as answers come. */
import { EventBridgeClient, PutEventsCommand } from "@aws-sdk/client-eventbridge";

const [endpoint = "", callsText = "0", inFlightText = "8", firstText = "0"] = process.argv.slice(2);
const [calls, inFlight, first] = [Number(callsText), Number(inFlightText), Number(firstText)];

const USDC = "0xaf88d065e77c8cc2239327c5edb3a432268e5831";
const PAY_TO = "0x2222222222222222222222222222222222222222";
const AGENTS = 8;
const ENTRIES = 10;

const client = new EventBridgeClient({
  endpoint,
  region: "us-east-1",
  credentials: { accessKeyId: "local", secretAccessKey: "local" },
});

/** The life of payment `n` as two entries of eight events: six of the agent's and two more requests, and the API's. */
function entriesOf(n: number) {
  const at = new Date().toISOString();
  const agent = `agent-${n % AGENTS}`;
  const payer = `0x${(n % AGENTS).toString(16).padStart(40, "1")}`;
  const payment = {
    method: "eip3009",
    chainId: 42161,
    asset: USDC,
    payer,
    nonce: `0x${n.toString(16).padStart(64, "0")}`,
  };
  const txHash = `0x${n.toString(16).padStart(64, "a")}`;
  const requestId = `request-${n}`;
  const resource = { url: "https://api.example/reports/q3", method: "GET" };
  const offer = {
    scheme: "exact",
    network: "eip155:42161",
    asset: USDC,
    amount: "10000",
    payTo: PAY_TO,
    maxTimeoutSeconds: 60,
  };
  const signed = { amount: "10000", payTo: PAY_TO, validBefore: "1995168800" };
  const id = (step: number) => `${n}-${step}`;
  const ofAgent = [
    { type: "agent.request_sent", id: id(1), at, requestId, resource },
    { type: "agent.payment_required", id: id(2), at, requestId, offers: [offer] },
    { type: "agent.authorization_requested", id: id(3), at, requestId, accepted: offer },
    { type: "agent.authorization_signed", id: id(4), at, payment, ...signed, accepted: offer, requestId },
    { type: "agent.payment_sent", id: id(5), at, payment, requestId },
    {
      type: "agent.response_received",
      id: id(6),
      at,
      payment,
      requestId,
      status: 200,
      settled: true,
      txHash,
      durationMs: 200,
    },
    { type: "agent.note_taken", id: id(7), at, payment },
    { type: "agent.note_taken", id: id(8), at, requestId },
  ];
  const ofApi = [
    { type: "api.payment_demanded", id: id(11), at, resource, offers: [offer], requestId, agentId: agent },
    { type: "api.verification_started", id: id(12), at, payment, ...signed },
    { type: "api.transaction_submitted", id: id(13), at, payment, txHash },
    { type: "api.transaction_confirmed", id: id(14), at, payment, txHash },
    { type: "api.content_returned", id: id(15), at, payment, txHash, status: 200 },
    { type: "api.note_taken", id: id(16), at, payment },
    { type: "api.note_taken", id: id(17), at, payment, txHash },
    { type: "api.note_taken", id: id(18), at, txHash },
  ];
  const entry = (Source: string, events: unknown[]) => {
    return { Source, DetailType: "payment.events.v1", Detail: JSON.stringify({ version: 1, events }) };
  };
  return [entry(`bursar.agent.${agent}`, ofAgent), entry("bursar.api.reports", ofApi)];
}

let next = 0;
let refused = 0;
async function send(): Promise<void> {
  while (next < calls) {
    const call = next++;
    const Entries = Array.from({ length: ENTRIES / 2 }, (_, i) => entriesOf(first + (call * ENTRIES) / 2 + i)).flat();
    const { FailedEntryCount = 0 } = await client.send(new PutEventsCommand({ Entries }));
    refused += FailedEntryCount;
  }
}
await new Promise<void>((resolve) => {
  process.stdin.once("data", () => resolve());
  process.stdout.write("ready\n");
});
const before = process.cpuUsage();
await Promise.all(Array.from({ length: inFlight }, send));
const { user, system } = process.cpuUsage(before);
process.stdout.write(`${JSON.stringify({ refused, cpuMs: (user + system) / 1000 })}\n`);
process.exit(0);
