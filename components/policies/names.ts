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

/** A role's own policy looks at pods. What else it looks at stands in policies of their own, with this behind the name. */
export const SUFFIX = {
  pods: "",
  /** Pod templates of Deployments, CronJobs and the like; a pod's request never loads these. */
  templates: "-templates",
  /** Debug containers, which `kubectl debug` adds to a running pod. */
  debug: "-debug",
} as const;

/** Whether a policy stands beside that of its role. */
export function isBeside(policy: string): boolean {
  return [SUFFIX.templates, SUFFIX.debug].some((suffix) => withoutPart(policy).endsWith(suffix));
}

const PART = /-part-\d+$/;

/** A policy that is too large for Kyverno goes on in a second, third... */
export function partName(policy: string, part: number): string {
  return part === 1 ? policy : `${policy}-part-${part}`;
}

/** The policy that a part continues. */
export function withoutPart(policy: string): string {
  return policy.replace(PART, "");
}

/** Rules that exist once in a policy, for each scope. */
export const RULE = {
  /** Refuses what no signer covers, image volumes, and images without Kyverno's record. */
  everyImageHasASigner: "every-image-has-a-signer",
  /** The same where uncovered images may run: then only other spellings of covered ones are refused. */
  imagesAreSpelledPlainly: "images-are-spelled-plainly",
  /** Reports what no signer covers. */
  imageHasASigner: "image-has-a-signer",
  /** Is skipped when a bypass was asked for and does not run; its message says why. */
  bypassEnded: "bypass-ended",
  bypassIsAllowed: "bypass-is-allowed",
  onlyControllersWriteRevisions: "only-controllers-write-revisions",
  forgetOnCreate: "forget-on-create",
  forgetOnUpdate: "forget-on-update",
  resetOnUpdate: "reset-on-update",
  restoreOnUpdate: "restore-on-update",
  noPolicyWritesVerdicts: "no-policy-writes-verdicts",
} as const;

const SOURCE_RULES = [RULE.everyImageHasASigner, RULE.imagesAreSpelledPlainly] as const;
const OR_BYPASSED = "-or-bypassed";

/** The form of a source rule for pods that ask for a bypass. */
export function orBypassed(rule: (typeof SOURCE_RULES)[number]): string {
  return `${rule}${OR_BYPASSED}`;
}

/** Rules that exist once for each signer, named after the first image entry that has it. */
export const ENTRY_RULE = {
  signedBy: "signed-by-",
  /** The form for pods that ask for a bypass: skipped while it runs. */
  orBypassed: "or-bypassed-",
  /** Is always skipped: its message is advice. */
  advice: "what-to-do-",
} as const;

export function entryRule(kind: keyof typeof ENTRY_RULE, entry: string): string {
  return `${ENTRY_RULE[kind]}${entry}`;
}

/** Up to 0.1 debug containers were verified under a name of their own, and reports outlive an upgrade. */
const VERIFIES = [ENTRY_RULE.signedBy, ENTRY_RULE.orBypassed, "debug-by-"] as const;

/** What a verifying rule is named after; undefined for any other rule. */
export function entryOf(rule: string): string | undefined {
  const plain = plainRule(rule);
  const prefix = VERIFIES.find((start) => plain.startsWith(start));
  return prefix === undefined ? undefined : plain.slice(prefix.length);
}

/** Rules that are skipped while a bypass runs, and for no other reason. */
export function tellsBypass(rule: string): boolean {
  return SOURCE_RULES.some((source) => rule.startsWith(source));
}

/** Rules that are skipped when a bypass has ended, and for no other reason. */
export function tellsEndedBypass(rule: string): boolean {
  return rule.startsWith(RULE.bypassEnded);
}

/** Where Kyverno cuts the name of a rule. */
export const LONGEST_RULE_NAME = 63;

/** A rule's name in a policy with several scopes: only a second scope needs its name in it. */
export function ruleName<T extends { readonly name: string }>(base: string, scopes: readonly T[], scope: T): string {
  return scopes.indexOf(scope) === 0 ? base : `${base}-${scope.name}`.slice(0, LONGEST_RULE_NAME);
}

/** Switches off the rules that Kyverno makes of a pod's for controllers: the guard writes its own. */
export const AUTOGEN_ANNOTATION = "pod-policies.kyverno.io/autogen-controllers";
/** What Kyverno puts before the names of such rules, of other people's policies and of the guard's up to 0.1. */
const AUTOGEN = ["autogen-cronjob-", "autogen-"] as const;

/** The rule itself and those that Kyverno would make of it for controllers and CronJobs. */
export function withGenerated(rule: string): string[] {
  return ["", ...AUTOGEN].map((prefix) => `${prefix}${rule}`.slice(0, LONGEST_RULE_NAME));
}

/** A generated rule's name without what Kyverno put before it. */
export function plainRule(rule: string): string {
  const prefix = AUTOGEN.find((start) => rule.startsWith(start)) ?? "";
  return rule.slice(prefix.length);
}
