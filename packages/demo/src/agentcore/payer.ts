/** An agent's own calls of AgentCore Payments, with AWS's client: a wallet, sessions, and signatures for offers. */
import {
  BedrockAgentCoreClient,
  CreatePaymentInstrumentCommand,
  CreatePaymentSessionCommand,
  ProcessPaymentCommand,
} from "@aws-sdk/client-bedrock-agentcore";
import type { SessionRef } from "@bursar/sdk";

export interface PayerOptions {
  readonly client: BedrockAgentCoreClient;
  readonly managerArn: string;
  readonly userId: string;
  /** The wallet to pay with; without it the next one that nobody has. */
  readonly walletAddress?: string | undefined;
}

export interface Payer {
  readonly userId: string;
  readonly instrumentId: string;
  /** The wallet's address, as AgentCore writes it. */
  readonly address: string;
  openSession(terms?: SessionTerms): Promise<SessionRef>;
  /** Throws what the client throws; nothing was signed then, as far as one can know. */
  pay(session: SessionRef, offer: PaymentOffer, signal?: AbortSignal): Promise<Proof>;
}

export interface SessionTerms {
  /** Dollars, such as "20.00". Without it the session has no cap. */
  readonly limitUsd?: string | undefined;
  /** 15 to 480, default 60. */
  readonly expiryMinutes?: number | undefined;
}

/** One entry of an x402 402's `accepts`, version 2. */
export interface PaymentOffer {
  readonly scheme: string;
  readonly network: string;
  readonly asset: string;
  readonly amount: string;
  readonly payTo: string;
  readonly maxTimeoutSeconds: number;
}

/** The payload of x402's `exact` scheme, as AgentCore signed it. */
export interface Proof {
  readonly processPaymentId: string;
  readonly signature: string;
  readonly authorization: {
    readonly from: string;
    readonly to: string;
    readonly value: string;
    readonly validAfter: string;
    readonly validBefore: string;
    readonly nonce: string;
  };
}

const CONNECTOR_ID = "demo-wallets-0000000000";
const EXPIRY_MINUTES = 60;
const REGION = "us-east-1";
const TIMEOUT_MS = 10_000;

/** AWS's client against a local plane, which takes any credentials. */
export function localPaymentsClient(url: string): BedrockAgentCoreClient {
  return new BedrockAgentCoreClient({
    region: REGION,
    endpoint: url,
    credentials: { accessKeyId: "local", secretAccessKey: "local" },
    requestHandler: { requestTimeout: TIMEOUT_MS },
  });
}

/** Gives the user a wallet and what it takes to pay with it. */
export async function createPayer({ client, managerArn, userId, walletAddress }: PayerOptions): Promise<Payer> {
  const call = { paymentManagerArn: managerArn, userId };
  const created = await client.send(
    new CreatePaymentInstrumentCommand({
      ...call,
      paymentConnectorId: CONNECTOR_ID,
      paymentInstrumentType: "EMBEDDED_CRYPTO_WALLET",
      paymentInstrumentDetails: { embeddedCryptoWallet: { network: "ETHEREUM", linkedAccounts: [], walletAddress } },
    }),
  );
  const instrumentId = known(created.paymentInstrument?.paymentInstrumentId, "paymentInstrumentId");
  const details = created.paymentInstrument?.paymentInstrumentDetails?.embeddedCryptoWallet;

  return {
    userId,
    instrumentId,
    address: known(details?.walletAddress, "walletAddress"),

    async openSession({ limitUsd, expiryMinutes = EXPIRY_MINUTES } = {}) {
      const { paymentSession } = await client.send(
        new CreatePaymentSessionCommand({
          ...call,
          expiryTimeInMinutes: expiryMinutes,
          ...(limitUsd === undefined ? {} : { limits: { maxSpendAmount: { value: limitUsd, currency: "USD" } } }),
        }),
      );
      return { managerArn, userId, sessionId: known(paymentSession?.paymentSessionId, "paymentSessionId") };
    },

    async pay(session, offer, abortSignal) {
      const { processPaymentId, paymentOutput } = await client.send(
        new ProcessPaymentCommand({
          ...call,
          paymentSessionId: session.sessionId,
          paymentInstrumentId: instrumentId,
          paymentType: "CRYPTO_X402",
          paymentInput: { cryptoX402: { version: "2", payload: { ...offer } } },
        }),
        abortSignal === undefined ? {} : { abortSignal },
      );
      const payload = known(paymentOutput?.cryptoX402?.payload, "paymentOutput") as unknown as Proof;
      const { signature, authorization } = payload;
      return { processPaymentId: known(processPaymentId, "processPaymentId"), signature, authorization };
    },
  };
}

function known<T>(value: T | undefined, name: string): T {
  if (value === undefined) throw new Error(`AgentCore answered without ${name}`);
  return value;
}
