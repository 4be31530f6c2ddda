/** Sessions and instruments as AgentCore answers them; `bindings.test.ts` holds these against the SDK's own model. */

export const MANAGER = "arn:aws:bedrock-agentcore:us-west-2:123456789012:payment-manager/manager-ab12cd34ef";
export const SESSION = "payment-session-AbCdEfGhIjKlMnO";
export const USER = "user-7";
export const KEY = { managerArn: MANAGER, sessionId: SESSION };
export const ADDRESS = "0xAbCdef0123456789aBcDEF0123456789ABCDEF01";

export const SUMMARY = {
  paymentSessionId: SESSION,
  paymentManagerArn: MANAGER,
  userId: USER,
  expiryTimeInMinutes: 60,
  createdAt: "2026-03-01T10:00:00Z",
  updatedAt: "2026-03-01T10:00:00.123Z",
};

/** The port's view of SUMMARY. */
export const LISTED = {
  ...KEY,
  userId: USER,
  createdAt: "2026-03-01T10:00:00.000Z",
  expiresAt: "2026-03-01T11:00:00.000Z",
};

export const CAPPED = {
  ...SUMMARY,
  limits: { maxSpendAmount: { value: "100.00", currency: "USD" } },
  availableLimits: {
    availableSpendAmount: { value: "99.990001", currency: "USD" },
    updatedAt: "2026-03-01T10:30:00Z",
  },
};

export const INSTRUMENT_SUMMARY = {
  paymentInstrumentId: "payment-instrument-1",
  paymentManagerArn: MANAGER,
  paymentConnectorId: "connector-1",
  userId: USER,
  paymentInstrumentType: "EMBEDDED_CRYPTO_WALLET",
  status: "ACTIVE",
  createdAt: "2026-03-01T09:00:00Z",
  updatedAt: "2026-03-01T09:00:00Z",
};

export const INSTRUMENT = {
  ...INSTRUMENT_SUMMARY,
  paymentInstrumentDetails: {
    embeddedCryptoWallet: {
      network: "ETHEREUM",
      linkedAccounts: [{ email: { emailAddress: "agent@example.com" } }],
      walletAddress: ADDRESS,
    },
  },
};

/** A good answer to each operation. */
export const ANSWERS = {
  DeletePaymentSession: { status: "DELETED" },
  GetPaymentSession: { paymentSession: CAPPED },
  ListPaymentSessions: { paymentSessions: [SUMMARY], nextToken: "page-2" },
  ListPaymentInstruments: { paymentInstruments: [INSTRUMENT_SUMMARY], nextToken: "page-2" },
  GetPaymentInstrument: { paymentInstrument: INSTRUMENT },
};
