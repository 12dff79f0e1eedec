import type { KubeObject } from "../../components/kubernetes/resources";
import { isJudge, ROLE } from "../../components/policies/names";
import type { DeployedPolicy } from "../cluster/policies";
import { gist, isCurrent, type Row, rowReason, rowsOf, sayingOf } from "../cluster/rows";
import type { ReportPolicy, State } from "./result";

/** What Kyverno says about an image in a namespace. */
export interface Known {
  readonly state: State;
  readonly violation: boolean;
  readonly policy: string;
  readonly detail: string;
  readonly at: number;
}

/** Reports reduced to one word for each image and namespace, and to counts for each policy. */
export class Tally {
  staleRows = 0;
  rows = 0;
  oldest = Number.POSITIVE_INFINITY;
  newest = 0;
  private readonly known = new Map<string, Known>();
  private readonly counts = new Map<string, ReportPolicy["results"]>();
  private readonly policies: ReadonlyMap<string, DeployedPolicy>;

  constructor(policies: readonly DeployedPolicy[]) {
    this.policies = new Map(policies.map((policy) => [policy.name, policy]));
  }

  /** With `counted` false the rows only say something about images: others have counted them already. */
  add(report: KubeObject, counted: boolean): void {
    const namespace = report.metadata?.namespace ?? "";
    for (const row of rowsOf(report)) {
      const policy = this.policies.get(row.policy);
      if (!policy) continue;
      if (!isCurrent(report, row, policy)) {
        this.staleRows++;
        continue;
      }
      if (counted && !row.isPart) this.count(row);
      this.learn(row, policy, namespace);
    }
  }

  of(namespace: string, image: string): Known | undefined {
    return this.known.get(key(namespace, image));
  }

  results(policy: string): ReportPolicy["results"] {
    return this.counts.get(policy) ?? { pass: 0, fail: 0, warn: 0, error: 0, skip: 0 };
  }

  private count({ policy, result, at }: Row): void {
    this.rows++;
    const counts = this.results(policy);
    counts[result]++;
    this.counts.set(policy, counts);
    if (at === 0) return;
    this.oldest = Math.min(this.oldest, at);
    this.newest = Math.max(this.newest, at);
  }

  private learn(row: Row, policy: DeployedPolicy, namespace: string): void {
    const saying = sayingOf(row);
    if (!saying) return;
    const base = { policy: policy.name, at: row.at };
    if (saying.about === "signature") {
      const { passes, why, image, isSure } = saying;
      const state: State = passes === undefined ? "cannotTell" : passes ? "signed" : "notSigned";
      const detail = passes
        ? ""
        : isSure === false
          ? UNCOUNTED
          : passes === false
            ? DETAILS[rowReason(why)]
            : gist(why);
      this.keep(namespace, image, { ...base, state, violation: passes === false, detail });
      return;
    }
    const violation = policy.role !== ROLE.uncovered;
    const detail = "nobody is configured to sign it";
    for (const image of saying.images) this.keep(namespace, image, { ...base, state: "noSigner", violation, detail });
  }

  private keep(namespace: string, image: string, next: Known): void {
    const before = this.known.get(key(namespace, image));
    if (!before || weight(next) > weight(before)) this.known.set(key(namespace, image), next);
  }
}

const key = (namespace: string, image: string) => `${namespace}\n${image}`;

const UNCOUNTED = "no signature that counts, or Kyverno could not read it";
const DETAILS = {
  unsigned: "there is no signature that Kyverno reads",
  wrongSigner: "signed by somebody else",
  wrongCA: "signed under a certificate authority that is not trusted",
  notVerified: "its signature does not hold",
};

/** Verdicts before missing signers before troubles, then the latest. */
function weight({ state, violation, at }: Known): number {
  const rank = state === "cannotTell" ? 0 : state === "noSigner" ? (violation ? 2 : 1) : 3;
  return rank * 1e12 + at;
}

/** What happens to a violation in a namespace. */
export function modeOf(policies: readonly DeployedPolicy[], namespace: string): "enforce" | "audit" | "none" {
  const judging = policies.filter(({ role }) => isJudge(role));
  return judging.find(({ judges }) => judges(namespace))?.action ?? "none";
}
