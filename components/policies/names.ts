/**
 * Every name that something else rests on: roles, policies and rules. Policies are made with these, and alerts, `check`,
 * `doctor`, `explain`, `report` and tests find them by these; nowhere else is such a name written.
 */

/** What a policy is for. It is the policy's name, and the name that people write in `suspend` and in a bypass. */
export const ROLE = {
  /** Judges production. */
  production: "require-signed-images",
  /** Judges every other namespace but the system's. */
  applications: "verify-image-signatures",
  /** Reports images that no signer covers. */
  uncovered: "audit-unsigned-images",
  /** Keeps forged verdicts from counting. */
  verdicts: "guard-image-verdicts",
  /** Says who may bypass, why and until when. */
  bypass: "guard-image-bypass",
} as const;

export type PolicyRole = (typeof ROLE)[keyof typeof ROLE];
export const POLICY_ROLES = Object.values(ROLE) as [PolicyRole, ...PolicyRole[]];

/** Policies that judge images by their signatures, and that a bypass can name. */
export const JUDGES: readonly PolicyRole[] = [ROLE.production, ROLE.applications];
/** Policies without which the judges could be fooled: they come first and leave last. */
export const GUARDS: readonly PolicyRole[] = [ROLE.verdicts, ROLE.bypass];

export function isJudge(role: string | undefined): boolean {
  return JUDGES.some((judge) => judge === role);
}

export function isGuard(role: string | undefined): boolean {
  return GUARDS.some((guard) => guard === role);
}

export const ROLE_LABEL = "image-signing-guard/role";

/** The role of a policy of the guard; undefined for anybody else's. */
export function roleOf(policy: { metadata?: { labels?: Record<string, string> } }): PolicyRole | undefined {
  const label = policy.metadata?.labels?.[ROLE_LABEL];
  return POLICY_ROLES.find((role) => role === label);
}

/** Whether somebody's policy would take a name that is, or will be, the guard's. */
export function isReserved(policyName: string): boolean {
  return POLICY_ROLES.some((role) => policyName === role || policyName.startsWith(`${role}-`));
}

/** Policies that a role needs beside its own, by what is put behind the name. */
export const SUFFIX = {
  /** Looks at debug containers. */
  debug: "-debug",
} as const;

/** Rules that exist once in a policy, for the first scope. */
export const RULE = {
  everyImageHasASigner: "every-image-has-a-signer",
  imagesAreSpelledPlainly: "images-are-spelled-plainly",
  noImageVolumes: "no-image-volumes",
  imageHasASigner: "image-has-a-signer",
  bypassInRevision: "bypass-in-revision",
  bypassByWhom: "bypass-by-whom",
  bypassSaysWhy: "bypass-says-why",
  bypassSaysUntil: "bypass-says-until",
  bypassIsCurrent: "bypass-is-current",
  forgetOnCreate: "forget-on-create",
  forgetOnUpdate: "forget-on-update",
  resetOnUpdate: "reset-on-update",
  noPolicyWritesVerdicts: "no-policy-writes-verdicts",
} as const;

/** Rules that exist once for each image entry; the entry's name follows. */
export const ENTRY_RULE = {
  /** Verifies. */
  signedBy: "signed-by-",
  /** Verifies debug containers. */
  debugBy: "debug-by-",
  /** Is always skipped: its message is advice. */
  advice: "what-to-do-",
  /** Is skipped when a bypass was asked for and does not run; its message says why. */
  bypassEnded: "bypass-ended-",
} as const;

export function entryRule(kind: keyof typeof ENTRY_RULE, entry: string): string {
  return `${ENTRY_RULE[kind]}${entry}`;
}

/** The entry that a verifying rule is about, of a pod's rule or of one made from it. */
export function entryOf(rule: string): string | undefined {
  const plain = plainRule(rule);
  const prefix = [ENTRY_RULE.signedBy, ENTRY_RULE.debugBy].find((start) => plain.startsWith(start));
  return prefix === undefined ? undefined : plain.slice(prefix.length);
}

/** Rules that are skipped while a bypass runs, and for no other reason. */
export function tellsBypass(rule: string): boolean {
  return rule.startsWith(RULE.noImageVolumes);
}

/** Rules that are skipped when a bypass has ended, and for no other reason. */
export function tellsEndedBypass(rule: string): boolean {
  return rule.startsWith(ENTRY_RULE.bypassEnded);
}

/** Where Kyverno cuts the name of a rule. */
export const LONGEST_RULE_NAME = 63;
const AUTOGEN = ["autogen-cronjob-", "autogen-"] as const;
const LONGEST_BEFORE_AUTOGEN = LONGEST_RULE_NAME - AUTOGEN[0].length;

/** A rule's own name in a policy with several scopes: only a second scope needs its name in it. */
export function ruleName<T extends { readonly name: string }>(base: string, scopes: readonly T[], scope: T): string {
  return scopes.indexOf(scope) === 0 ? base : `${base}-${scope.name}`.slice(0, LONGEST_BEFORE_AUTOGEN);
}

/** The rule itself and those that Kyverno makes of it for controllers and CronJobs. */
export function withGenerated(rule: string): string[] {
  return ["", ...AUTOGEN].map((prefix) => `${prefix}${rule}`.slice(0, LONGEST_RULE_NAME));
}

/** A generated rule's name without what Kyverno put before it. */
export function plainRule(rule: string): string {
  const prefix = AUTOGEN.find((start) => rule.startsWith(start)) ?? "";
  return rule.slice(prefix.length);
}
