import { GuardMode, TagHandling, UncoveredAction } from "../args";
import type { Json } from "../kubernetes/manifest";
import { imageReferences } from "../posture/images";
import { describeSigner } from "../posture/signers";
import type { ImageRule, NamespaceScope, PolicyPlan, Resolved } from "../posture/types";
import { attestations, attestorSet } from "./attestors";
import { bypassRuns, lists, UNTIL_ANNOTATION } from "./bypassTerms";
import { imageVolumeRule, spellingRule, uncoveredRule } from "./imageSources";
import { variable } from "./jmespath";
import { entryRule, ruleName } from "./names";
import { preconditions, unlessBypassed } from "./preconditions";
import { matchKinds, matchPods } from "./scope";

/** The rules of a policy that judges images: one verification an image entry, one rule for what nobody signs. */
export function judgingRules(plan: PolicyPlan, resolved: Resolved): Json[] {
  return plan.scopes.flatMap((scope) => [
    ...resolved.posture.images.flatMap((image) => [
      verifyRule(plan, scope, image, resolved),
      ...(plan.mode === GuardMode.Enforce ? [adviceRule(plan, scope, image, resolved)] : []),
      ...endedBypassRule(plan, scope, image, resolved),
    ]),
    imageVolumeRule(plan, scope, resolved),
    plan.uncovered === UncoveredAction.Refuse
      ? uncoveredRule(plan, scope, resolved)
      : spellingRule(plan, scope, resolved),
  ]);
}

function verifyRule(plan: PolicyPlan, scope: NamespaceScope, image: ImageRule, resolved: Resolved): Json {
  const enforcing = plan.mode === GuardMode.Enforce;
  return {
    name: ruleName(entryRule("signedBy", image.name), plan.scopes, scope),
    ...matchPods(scope),
    ...preconditions([...unlessBypassed(plan, resolved), ...(enforcing ? [NOT_DEBUGGING] : [])]),
    verifyImages: [verification(image, resolved, { enforcing, required: enforcing })],
  };
}

/**
 * `kubectl debug` adds containers through a subresource on which the API server drops changes of metadata, Kyverno's
 * verdict among them. A second check that requires the verdict would refuse signed images too, so these rules don't;
 * they stand in a policy of their own because Kyverno would make controller rules of them.
 */
export function debugRules(plan: PolicyPlan, resolved: Resolved): Json[] {
  return plan.scopes.flatMap((scope) =>
    resolved.posture.images.map((image) => debugRule(plan, scope, image, resolved)),
  );
}

function debugRule(plan: PolicyPlan, scope: NamespaceScope, image: ImageRule, resolved: Resolved): Json {
  return {
    name: ruleName(entryRule("debugBy", image.name), plan.scopes, scope),
    ...matchKinds(scope, [DEBUG_SUBRESOURCE]),
    ...preconditions(unlessBypassed(plan, resolved)),
    verifyImages: [verification(image, resolved, { enforcing: true, required: false })],
  };
}

const DEBUG_SUBRESOURCE = "Pod/ephemeralcontainers";
const NOT_DEBUGGING: Json = {
  key: variable("request.subResource || ''"),
  operator: "NotEquals",
  value: "ephemeralcontainers",
  message: "debug containers are judged by a policy of their own",
};

function verification(
  image: ImageRule,
  resolved: Resolved,
  { enforcing, required }: { enforcing: boolean; required: boolean },
): Json {
  return {
    imageReferences: image.repositories.flatMap(imageReferences),
    ...(image.signatureRepository ? { repository: image.signatureRepository } : {}),
    attestors: [attestorSet(image.signers, image.threshold, resolved)],
    ...(image.attestations.length > 0 ? { attestations: attestations(image, resolved) } : {}),
    // Audit must neither change nor stop anything; Kyverno refuses to mutate in audit.
    mutateDigest: enforcing && resolved.posture.tags === TagHandling.Pin,
    // Would refuse every later update of an object that was admitted with a tag.
    verifyDigest: false,
    required,
  };
}

/**
 * Kyverno's refusal of an image can't carry a text of ours, but it prints every rule that did not pass, skipped ones
 * with the message of their precondition. This rule is always skipped, and its message says what to do.
 */
function adviceRule(plan: PolicyPlan, scope: NamespaceScope, image: ImageRule, resolved: Resolved): Json {
  const wanted = image.threshold === 1 ? "one of" : `${image.threshold} of`;
  const signers = image.signers.map(describeSigner);
  const expected = signers.length === 1 ? signers[0] : `${wanted} ${signers.join("; ")}`;
  const message = [
    `images ${image.repositories.join(", ")} must be signed by ${expected}.`,
    "Sign the image in that way, or deploy one that is (image-signing-guard check IMAGE tells which).",
    `In an emergency: ${resolved.posture.runbookUrl}`,
  ].join(" ");
  return {
    name: ruleName(entryRule("advice", image.name), plan.scopes, scope),
    ...matchPods(scope),
    preconditions: { all: [{ key: "advice", operator: "Equals", value: "never evaluated", message }] },
    verifyImages: [unverified(image)],
  };
}

/** Says why an annotated workload is judged all the same; passes, and so is silent, where no bypass was asked for. */
function endedBypassRule(plan: PolicyPlan, scope: NamespaceScope, image: ImageRule, resolved: Resolved): Json[] {
  const { bypass } = resolved.posture;
  if (bypass === "off" || plan.mode !== GuardMode.Enforce) return [];
  const message = `the bypass does not run: ${UNTIL_ANNOTATION} must be a time with zone that lies ahead, at most ${bypass.maxHours} hours from now, such as 2026-12-01T18:00:00Z.`;
  const key = variable(`${lists(plan.role)} && !(${bypassRuns(plan.role)})`);
  return [
    {
      name: ruleName(entryRule("bypassEnded", image.name), plan.scopes, scope),
      ...matchPods(scope),
      preconditions: { all: [{ key, operator: "Equals", value: false, message }] },
      verifyImages: [unverified(image)],
    },
  ];
}

/** An entry that matches the images of a rule and demands nothing of them. */
function unverified(image: ImageRule): Json {
  return {
    imageReferences: image.repositories.flatMap(imageReferences),
    mutateDigest: false,
    verifyDigest: false,
    required: false,
  };
}
