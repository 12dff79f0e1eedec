import { TagHandling } from "./args";
import { resolveBackstop } from "./posture/backstop";
import type { Context } from "./posture/context";
import { checkExtraPolicies } from "./posture/extraPolicies";
import { checkTuf } from "./posture/formats";
import { checkRepositories, checkSignedImage } from "./posture/images";
import { resolveKyverno } from "./posture/kyverno";
import { resolveMonitoring } from "./posture/monitoring";
import { namespaceGroups, partitionNamespaces } from "./posture/namespaces";
import { PemStore } from "./posture/pem";
import { planPolicies, resolveBypass, resolveSuspensions } from "./posture/policies";
import { checkPolicyForm } from "./posture/policyForm";
import { resolveImages } from "./posture/signers";
import { spellings } from "./posture/spelling";
import { resolveTrust } from "./posture/trust";
import type { Resolved } from "./posture/types";
import { GuardInputError, ProblemList } from "./problems";
import { type GuardConfig, parseGuardConfig } from "./schema";
import { configFromSettings } from "./settings";

/** Named in refusals where the stack names no page of its own. */
export const DEFAULT_RUNBOOK = "docs/bypass.md of image-signing-guard";

export interface ResolveOptions {
  /** The time that suspensions and trust material are held against. Default: now. */
  readonly now?: Date;
}

/** Arguments that nobody has checked yet, as a program writes them, to posture. */
export function resolvePosture(args: unknown, options: ResolveOptions = {}): Resolved {
  const parsed = parseGuardConfig(args);
  if ("problems" in parsed) throw new GuardInputError(parsed.problems);
  return resolveConfig(parsed.config, options);
}

/** A stack's settings, as its file has them, to posture. */
export function resolveSettings(settings: Record<string, unknown>, options: ResolveOptions = {}): Resolved {
  return resolveConfig(configFromSettings(settings), options);
}

/**
 * Checked configuration to posture: the one place where defaults are filled in and where contradictions are found. Throws
 * {@link GuardInputError} with every problem at once.
 */
export function resolveConfig(config: GuardConfig, { now = new Date() }: ResolveOptions = {}): Resolved {
  const problems = new ProblemList();
  const pems = new PemStore(problems);
  const context: Context = { config, problems, pems, now };

  const kyverno = resolveKyverno(context);
  const partition = partitionNamespaces(context, kyverno.namespace);
  checkRepositories(context);
  checkSignedImage(context);
  const images = resolveImages(context);
  const trust = resolveTrust(context);
  checkTuf(context);
  checkPolicyForm(context);
  const suspended = resolveSuspensions(context);
  const bypass = resolveBypass(context);
  const extraPolicies = checkExtraPolicies(context);
  const policies = planPolicies(config, partition, kyverno, bypass, suspended);
  const backstop = resolveBackstop(context, policies, kyverno);
  const monitoring = resolveMonitoring(context, kyverno);
  problems.throwIfAny();

  return {
    posture: {
      mode: partition.mode,
      namespaces: namespaceGroups(partition),
      images,
      exempt: (config.uncovered?.exempt ?? []).map(({ repositories, reason }) => ({
        repositories: spellings(repositories),
        reason,
      })),
      tags: config.tags ?? TagHandling.Pin,
      policies,
      bypass,
      suspended,
      trust,
      kyverno,
      ...(backstop ? { backstop } : {}),
      runbookUrl: config.runbookUrl ?? DEFAULT_RUNBOOK,
      extraPolicies: extraPolicies.map((policy) => policy.metadata.name),
      ...(monitoring ? { monitoring } : {}),
    },
    materials: {
      pem: pems.byFingerprint,
      extraPolicies,
      values: config.kyverno?.values ?? {},
      policyReporterValues: config.monitoring?.policyReporter?.values ?? {},
    },
    warnings: [...problems.warnings, ...suspended.map((s) => `${s.policy} is suspended until ${s.until}: ${s.reason}`)],
  };
}
