import { type KubeObject, POLICY_REPORTS, SCAN_REPORTS } from "../../components/kubernetes/resources";
import { type DeployedPolicy, type Requirement, requirementOfRule, sameRequirement } from "./policies";
import { isCurrent, rowsOf, sayingOf } from "./rows";
import { type Gap, type ObjectSource, readAll } from "./source";

/** What Kyverno itself found about an image. */
export interface Evidence {
  readonly passes: boolean | undefined;
  readonly why: string;
  /** Seconds since 1970. */
  readonly at: number;
  readonly policy: string;
}

interface Proof extends Evidence {
  readonly requirement: Requirement;
}

/**
 * Reports reduced to one verdict for each image and requirement. An image is signed or it isn't, whichever pod has it, so
 * nothing grows with the number of pods.
 */
export class ReportEvidence {
  rows = 0;
  /** Rows about a policy as it was before its last change. */
  staleRows = 0;
  private readonly proofs = new Map<string, Proof[]>();
  private readonly policies: ReadonlyMap<string, DeployedPolicy>;

  constructor(policies: readonly DeployedPolicy[]) {
    this.policies = new Map(policies.map((policy) => [policy.name, policy]));
  }

  add(report: KubeObject): void {
    for (const row of rowsOf(report)) {
      this.rows++;
      const policy = this.policies.get(row.policy);
      const requirement = policy && requirementOfRule(policy, row.rule);
      if (!policy || !requirement) continue;
      if (!isCurrent(report, row, policy)) {
        this.staleRows++;
        continue;
      }
      const saying = sayingOf(row);
      if (saying?.about !== "signature") continue;
      const passes = saying.isSure === false ? undefined : saying.passes;
      this.keep(saying.image, { ...saying, passes, at: row.at, policy: policy.name, requirement });
    }
  }

  /** The latest verdict, one that decides before one that doesn't. */
  of(image: string, requirement: Requirement): Evidence | undefined {
    return this.proofs.get(image)?.find((proof) => sameRequirement(proof.requirement, requirement));
  }

  private keep(image: string, proof: Proof): void {
    const known = this.proofs.get(image) ?? [];
    const index = known.findIndex(
      ({ requirement }) => requirement === proof.requirement || sameRequirement(requirement, proof.requirement),
    );
    const older = known[index];
    if (!older) this.proofs.set(image, [...known, proof]);
    else if (weight(proof) > weight(older)) known[index] = proof;
  }
}

function weight({ passes, at }: Proof): number {
  return (passes === undefined ? 0 : 1e12) + at;
}

/** Kyverno 1.19 keeps no reports of scans beside its policy reports. */
export const withoutAbsent = (gaps: readonly Gap[]): Gap[] => gaps.filter(({ why }) => why !== "absent");

export async function readEvidence(
  source: ObjectSource,
  policies: readonly DeployedPolicy[],
  namespaces: readonly string[],
): Promise<{ evidence: ReportEvidence; gaps: Gap[] }> {
  const evidence = new ReportEvidence(policies);
  const gaps: Gap[] = [];
  // Without policies to hold them against, no row can be believed.
  if (policies.length === 0) return { evidence, gaps };
  for (const resource of [SCAN_REPORTS, POLICY_REPORTS]) {
    const own = await readAll(source, resource, namespaces, (page) => {
      for (const report of page) evidence.add(report);
    });
    gaps.push(...(resource === SCAN_REPORTS ? withoutAbsent(own) : own));
  }
  return { evidence, gaps };
}
