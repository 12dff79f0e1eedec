import type { ProblemList } from "../problems";
import type { GuardConfig } from "../schema";
import type { PemStore } from "./pem";

/** What every step on the way from the configuration to the posture needs. */
export interface Context {
  readonly config: GuardConfig;
  readonly problems: ProblemList;
  readonly pems: PemStore;
  /** The time that suspensions and trust material are held against. */
  readonly now: Date;
}
