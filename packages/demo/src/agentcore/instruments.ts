/** Payment instruments: embedded crypto wallets over accounts that are given to the plane, each a user's. */
import type { LocalAccount } from "viem";
import { invalid, invalidField, notFound, Refusal } from "./errors.ts";
import { connectorId, type Fields, fieldsOf, type Input, instrumentId, managerArn, oneOf, textOf } from "./input.ts";
import { pageOf } from "./paging.ts";
import { letters } from "./sessions.ts";

export interface Instrument {
  readonly instrumentId: string;
  readonly managerArn: string;
  readonly connectorId: string;
  readonly userId: string;
  readonly account: LocalAccount;
  /** As they were given: who may authenticate to the wallet. */
  readonly linkedAccounts: readonly unknown[];
  readonly status: "ACTIVE" | "DELETED";
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly ordinal: number;
}

export interface Instruments {
  /**
   * A wallet over the account whose address is asked for (`walletAddress`), else over the next one nobody has.
   * @throws {Refusal} ServiceQuotaExceededException where no account is left
   */
  create(input: Input): Instrument;
  get(input: Input): Instrument;
  list(input: Input): { readonly page: readonly Instrument[]; readonly nextToken?: string };
  /** Soft: it is never shown again and never signs again. */
  delete(input: Input): void;
  /** The instrument that is to sign. A deleted one is a ValidationException, none at all ResourceNotFoundException. */
  signing(input: Input): Instrument;
}

const INSTRUMENTS_MAX = 10_000;

export function createInstruments(accounts: readonly LocalAccount[], now: () => number): Instruments {
  const made: Instrument[] = [];

  function known({ userId, body }: Input): Instrument {
    const [manager, id] = [managerArn(body), instrumentId(body)];
    const instrument = made.find((each) => each.instrumentId === id);
    if (instrument?.managerArn !== manager || instrument.userId !== userId) throw notFound("Payment instrument", id);
    return instrument;
  }

  function active(input: Input): Instrument {
    const instrument = known(input);
    if (instrument.status !== "ACTIVE") throw notFound("Payment instrument", instrument.instrumentId);
    return instrument;
  }

  function accountFor(wallet: Fields): LocalAccount {
    if (wallet.walletAddress !== undefined) {
      const address = textOf(wallet, "walletAddress").toLowerCase();
      const asked = accounts.find((account) => account.address.toLowerCase() === address);
      if (asked === undefined) throw invalid(`The wallet ${address.slice(0, 64)} is none of this connector's`);
      return asked;
    }
    const free = accounts.find((account) => made.every((each) => each.account.address !== account.address));
    if (free === undefined)
      throw new Refusal("ServiceQuotaExceededException", `All ${accounts.length} wallets are taken`);
    return free;
  }

  return {
    create({ userId, body }) {
      oneOf(body, "paymentInstrumentType", ["EMBEDDED_CRYPTO_WALLET"]);
      const details = fieldsOf(body.paymentInstrumentDetails, "paymentInstrumentDetails");
      const wallet = fieldsOf(details.embeddedCryptoWallet, "paymentInstrumentDetails.embeddedCryptoWallet");
      if (oneOf(wallet, "network", ["ETHEREUM", "SOLANA"]) === "SOLANA")
        throw invalid("This plane has wallets on ETHEREUM networks only");
      const { linkedAccounts } = wallet;
      if (!Array.isArray(linkedAccounts))
        throw invalidField("linkedAccounts", linkedAccounts, "Member must not be null");
      if (made.length >= INSTRUMENTS_MAX)
        throw new Refusal("ServiceQuotaExceededException", `There are ${INSTRUMENTS_MAX} payment instruments`);
      const at = now();
      const instrument: Instrument = {
        instrumentId: `payment-instrument-${letters()}`,
        managerArn: managerArn(body),
        connectorId: connectorId(body),
        userId,
        account: accountFor(wallet),
        linkedAccounts,
        status: "ACTIVE",
        createdAt: at,
        updatedAt: at,
        ordinal: made.length,
      };
      made.push(instrument);
      return instrument;
    },

    get: active,

    list({ userId, body }) {
      const manager = managerArn(body);
      const connector = body.paymentConnectorId === undefined ? null : connectorId(body);
      return pageOf(
        made.filter(
          (each) =>
            each.status === "ACTIVE" &&
            each.managerArn === manager &&
            each.userId === userId &&
            (connector === null || each.connectorId === connector),
        ),
        body,
      );
    },

    delete(input) {
      const instrument = active(input);
      if (connectorId(input.body) !== instrument.connectorId)
        throw notFound("Payment instrument", instrument.instrumentId);
      made[instrument.ordinal] = { ...instrument, status: "DELETED", updatedAt: now() };
    },

    signing(input) {
      const instrument = known(input);
      if (instrument.status !== "ACTIVE") throw invalid(`Payment instrument is inactive: ${instrument.instrumentId}`);
      return instrument;
    },
  };
}

/** AWS's PaymentInstrumentSummary: without the wallet's details. */
export function instrumentSummary(instrument: Instrument): object {
  return {
    paymentInstrumentId: instrument.instrumentId,
    paymentManagerArn: instrument.managerArn,
    paymentConnectorId: instrument.connectorId,
    userId: instrument.userId,
    paymentInstrumentType: "EMBEDDED_CRYPTO_WALLET",
    status: instrument.status,
    createdAt: new Date(instrument.createdAt).toISOString(),
    updatedAt: new Date(instrument.updatedAt).toISOString(),
  };
}

/** AWS's PaymentInstrument. */
export function shownInstrument(instrument: Instrument): object {
  return {
    ...instrumentSummary(instrument),
    paymentInstrumentDetails: {
      embeddedCryptoWallet: {
        network: "ETHEREUM",
        linkedAccounts: instrument.linkedAccounts,
        walletAddress: instrument.account.address,
      },
    },
  };
}
