/** What humans order about alerts of a running machine: say that they have seen one, and keep a rule or a subject quiet. */

import { lookAgain } from "@bursar/core/alert-judge";
import { type NoticeContext, noticeOf } from "@bursar/core/alert-notice";
import { acknowledgeAlert, findAlerts } from "@bursar/core/alert-orders";
import { ALERT_RULES } from "@bursar/core/alert-rules";
import { keepQuiet, type Quiet, readAlertSettings } from "@bursar/core/alert-settings";
import type { KeptAlert } from "@bursar/core/alert-shape";
import type { Store } from "@bursar/core/ports";
import type { AlertNotice } from "@bursar/events/alert-notice";
import { canonicalTime } from "@bursar/events/scalars";
import type { Alert } from "@bursar/events/shapes";
import { clean } from "@bursar/events/text";
import { nearest } from "./nearest.ts";
import { type Fields, type OrderAnswer, refuse, type Taken, takenOf } from "./order.ts";

export interface AlertOrdersParts {
  readonly store: Store;
  readonly now: () => string;
  readonly onAlerts: (alerts: readonly Alert[]) => void;
  /** A line for whoever watches the machine. */
  readonly notice: (message: string) => void;
  /** What messages say beside the alert. */
  readonly context: Omit<NoticeContext, "now">;
}

export interface AlertOrders {
  readonly taken: Taken;
  /** One alert by its id or the beginning of it. */
  find(text: string): Promise<KeptAlert | OrderAnswer>;
  /** The message that tells of an alert as it stands. */
  told(alert: KeptAlert): AlertNotice;
}

/** The change that brought an alert where it stands. */
const CHANGES = { open: "opened", acknowledged: "acknowledged", resolved: "resolved" } as const;

const NOTE_MAX = 256;
const SHOWN_MAX = 300;
const CANDIDATES_MAX = 10;
/** Whom an alert can be about: a slip in a subject must not keep nothing quiet. */
const SUBJECT = /^(?:agent|api|wallet|payment|session|budget|source|token|org|chain|queue):.+$/;

export function createAlertOrders({ store, now, onAlerts, notice, context }: AlertOrdersParts): AlertOrders {
  async function find(text: string): Promise<KeptAlert | OrderAnswer> {
    const found = await findAlerts(store, text, now());
    const [only] = found;
    const shown = clean(text, SHOWN_MAX);
    if (only === undefined) return refuse("not_found", `no alert's id begins with "${shown}": see bursar alerts`, 404);
    if (found.length === 1) return only;
    const candidates = found.slice(0, CANDIDATES_MAX).map(({ id }) => id);
    const message = `"${shown}" fits ${found.length} alerts: give more of it`;
    return { refused: { status: 409, code: "ambiguous", message, candidates } };
  }

  /** `{ id, note? }` */
  async function ack(given: Fields): Promise<OrderAnswer> {
    const { note = null } = given;
    if (typeof given.id !== "string") return refuse("id", "id must be an alert's id, or the beginning of one");
    if (note !== null && typeof note !== "string") return refuse("note", "note must be a text");
    const alert = await find(given.id);
    if (!("id" in alert)) return alert;
    if (alert.status === "resolved") return refuse("over", `${alert.id} is over: nothing is to be acknowledged`, 409);
    const text = note === null ? "" : clean(note, NOTE_MAX).trim();
    const done = await acknowledgeAlert(store, alert.id, text === "" ? null : text, now());
    if (done === null) return refuse("not_found", `there is no alert ${alert.id} any more`, 404);
    if (done.move !== null) onAlerts([done.move.alert]);
    return { done: { alert: done.alert, already: done.move === null } };
  }

  /** `{ about, until, reason }`; `until` null ends it. */
  async function quiet(given: Fields): Promise<OrderAnswer> {
    const at = now();
    const about = typeof given.about === "string" ? clean(given.about, NOTE_MAX) : "";
    if (!Object.hasOwn(ALERT_RULES, about) && !SUBJECT.test(about)) {
      const meant = nearest(about, Object.keys(ALERT_RULES));
      const hint =
        meant === null
          ? "write a rule like unreported_by_api, or a subject like agent:research"
          : `did you mean "${meant}"?`;
      return refuse("about", `"${about}" is no rule and no subject: ${hint}`);
    }
    if (given.until === null) {
      const before = (await readAlertSettings(store)).quiets.some((one) => one.about === about && one.until > at);
      if (!before) return refuse("not_quiet", `${about} is not kept quiet`, 409);
      const quiets = await keepQuiet(store, { about, until: at, reason: "", at });
      onAlerts((await lookAgain(store, about, at)).map(({ alert }) => alert));
      notice(`${about} is told of again`);
      return { done: { about, quiets } };
    }
    const until = typeof given.until === "string" ? canonicalTime(given.until) : null;
    if (until === null) return refuse("until", 'until must be a time with an offset, like "2026-11-20T18:00:00Z"');
    if (until <= at) return refuse("until", `until is ${until}, and that is past: it is ${at}`);
    const reason = typeof given.reason === "string" ? clean(given.reason, NOTE_MAX).trim() : "";
    if (reason === "") return refuse("reason", "say why: a reason stands in the record for whoever reads it later");
    const quiets: readonly Quiet[] = await keepQuiet(store, { about, until, reason, at });
    notice(`${about} is kept quiet until ${until}: ${reason}`);
    return { done: { about, quiets } };
  }

  return {
    taken: takenOf({ ack, quiet }),
    find,
    told: (alert) => noticeOf({ alert, change: CHANGES[alert.status] }, { ...context, now: now() }),
  };
}
