/** What a trouble is: something that goes wrong for real, in plain words, and the verdict that it should lead to. */
import type { Break, State } from "@bursar/events/shapes";
import type { Yard } from "./yard.ts";

export interface TroubleKind {
  readonly name: string;
  /** What is done, for a viewer; one sentence without a full stop. */
  readonly words: string;
  readonly leads: Leads;
  /** It touches everybody: nothing else is made while it is. */
  readonly alone?: true;
  /**
   * Makes it, and answers the ids of the payments concerned once there is no more to do. `say` tells of a turn that it
   * takes, in words. Throws where it cannot be made.
   */
  produce(yard: Yard, say: (words: string) => void): Promise<readonly string[]>;
}

/** What its payments show. */
export interface Leads {
  /** The breaks that stand at the same time, once its deadline has passed; none for a trouble that breaks nothing. */
  readonly breaks: readonly Break[];
  /** They end by what is done later, and the payment is matched. */
  readonly heals: boolean;
  /** Where the payment ends, where that is not `final`. */
  readonly state?: State;
  /** The rule of an alert that opens, where no break says it. */
  readonly alert?: string;
  /** A break that may stand for a while before: which deadline passes first is the chain's matter. */
  readonly before?: Break;
}

/** A trouble as it is told of: `begins` first, `says` for each turn it takes; `payments` are known when it is `done`. */
export interface TroubleTold {
  readonly name: string;
  readonly words: string;
  readonly phase: "begins" | "says" | "done" | "failed";
  readonly leads: Leads;
  readonly payments: readonly string[];
  /** Why it could not be made. */
  readonly error: string | null;
}
