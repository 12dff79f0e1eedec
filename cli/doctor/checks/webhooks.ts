import { X509Certificate } from "node:crypto";
import { policiesOf } from "../../../components/compile";
import { type Facts, known, look, type WebhookConfiguration } from "../facts";
import { type Finding, finding, ok } from "../finding";
import { reapplyRelease, restart } from "../fixes";

const DAY_MS = 86_400_000;
/** Kyverno renews 15 days before the end; later it has not done so. */
const RENEWED_DAYS = 7;

const ALWAYS = [
  "validating/kyverno-policy-validating-webhook-cfg",
  "mutating/kyverno-policy-mutating-webhook-cfg",
  "mutating/kyverno-verify-mutating-webhook-cfg",
];
const FOR_RESOURCES = [
  "mutating/kyverno-resource-mutating-webhook-cfg",
  "validating/kyverno-resource-validating-webhook-cfg",
];

export function webhookChecks(facts: Facts): Finding[] {
  return look("webhooks.present", facts.webhooks, (configurations) => {
    const admission = (known(facts.deployments) ?? []).find(({ component }) => component === "admission-controller");
    // Without a Kyverno there should be none; what else lacks then is said elsewhere.
    if ("known" in facts.deployments && !admission) {
      const filled = configurations.filter(({ webhooks }) => webhooks.length > 0);
      return filled.length > 0 ? [leftover(facts, filled)] : [];
    }
    return [
      present(facts, configurations, admission?.name ?? `${facts.release}-admission-controller`),
      ...authority(facts, configurations),
      ...failurePolicy(facts, configurations),
      ...excluded(facts, configurations),
    ];
  }).concat(look("webhooks.certificate", facts.certificates, (certificates) => expiry(facts, certificates)));
}

function leftover(facts: Facts, configurations: readonly WebhookConfiguration[]): Finding {
  const failing = configurations.some(({ webhooks }) => webhooks.some((hook) => hook.failurePolicy !== "Ignore"));
  return finding(
    "problem",
    "webhooks.leftover",
    `${configurations.length} webhook configurations without a Kyverno${failing ? ", and they refuse what they guard" : ""}`,
    `${facts.commands.guard} recover --namespace=${facts.namespace}${facts.commands.clusterFlags} --remove-webhooks`,
  );
}

function present(facts: Facts, configurations: readonly WebhookConfiguration[], deployment: string): Finding {
  const id = "webhooks.present";
  const policies = known(facts.policies) ?? [];
  const mutates = policies.some(
    ({ kind }) => kind === "ClusterPolicy" || kind === "Policy" || kind === "MutatingPolicy",
  );
  const wanted = [
    ...ALWAYS,
    ...(policies.length > 0 ? FOR_RESOURCES.filter((name) => mutates || !name.startsWith("mutating/")) : []),
  ];
  const filled = new Set(
    configurations.filter(({ webhooks }) => webhooks.length > 0).map(({ kind, name }) => `${kind}/${name}`),
  );
  const missing = wanted.filter((name) => !filled.has(name));
  if (missing.length === 0) return ok(id, `${filled.size} webhook configurations`);
  const { cause, fix } = causeOf(facts, configurations, missing, deployment);
  return finding("problem", id, `missing or empty: ${missing.join(", ")}: ${cause}`, fix);
}

/** Seconds after which Kyverno empties its webhooks for resources, if the API server has not reached it. */
const WITHDRAWN_AFTER = 100;

/** Why Kyverno's webhooks are gone, as far as it can be seen. */
function causeOf(
  facts: Facts,
  configurations: readonly WebhookConfiguration[],
  missing: readonly string[],
  deployment: string,
): { cause: string; fix: string } {
  const { kubectl } = facts.commands;
  const found = (known(facts.deployments) ?? []).find(({ name }) => name === deployment);
  if (found?.wanted === 0)
    return {
      cause: "Kyverno takes them away when it is scaled to 0",
      fix: `${kubectl} -n ${facts.namespace} scale deployment ${deployment} --replicas=${facts.stack?.resolved.posture.kyverno.replicas ?? 1}`,
    };
  const last = known(facts.heartbeat);
  const age = last ? Math.round((facts.now.getTime() - last.getTime()) / 1000) : undefined;
  const emptied = configurations.some(
    ({ kind, name, webhooks }) => webhooks.length === 0 && missing.includes(`${kind}/${name}`),
  );
  if (emptied && (age === undefined || age > WITHDRAWN_AFTER))
    return {
      cause: `Kyverno withdrew them: the API server ${age === undefined ? "has never reached it" : `last reached it ${age} s ago`}, and after ${WITHDRAWN_AFTER} s it empties them. They come back 10 s after it is reached again: look at its Service, its endpoints and NetworkPolicies`,
      fix: `${kubectl} -n ${facts.namespace} get endpoints ${facts.release}-svc && ${restart(facts, deployment)}`,
    };
  const how = emptied ? "somebody emptied them" : "somebody deleted them, or Kyverno has only just started";
  return { cause: `${how}; Kyverno puts them back while it runs`, fix: restart(facts, deployment) };
}

/** The API server must trust the authority that Kyverno's certificate comes from, and no other. */
function authority(facts: Facts, configurations: readonly WebhookConfiguration[]): Finding[] {
  return look("webhooks.ca", facts.certificates, ({ ca }) => {
    const deployment = `${facts.release}-admission-controller`;
    if (!ca)
      return finding("problem", "webhooks.ca", "Kyverno has no certificate authority", restart(facts, deployment));
    const wrong = configurations.filter(({ webhooks }) => webhooks.some(({ caBundle }) => !samePem(caBundle, ca)));
    if (wrong.length === 0) return ok("webhooks.ca", "every webhook trusts Kyverno's own authority");
    // Deleted ones are registered anew, and rightly.
    const fix = wrong.map(({ kind, name }) => `${facts.commands.kubectl} delete ${kind}webhookconfiguration ${name}`);
    return finding(
      "problem",
      "webhooks.ca",
      `another authority than Kyverno's is trusted in ${wrong.map(({ name }) => name).join(", ")}: calls fail`,
      fix.join(" && "),
    );
  });
}

function samePem(a: string, b: string): boolean {
  return a.replace(/\s/g, "") === b.replace(/\s/g, "");
}

function expiry(facts: Facts, { ca, pair }: { ca?: string; pair?: string }): Finding[] {
  const id = "webhooks.certificate";
  const secrets = ["ca", "pair"].map((part) => `${facts.release}-svc.${facts.namespace}.svc.kyverno-tls-${part}`);
  const fix = [
    `${facts.commands.kubectl} -n ${facts.namespace} delete secret ${secrets.join(" ")}`,
    restart(facts, `${facts.release}-admission-controller`),
  ].join(" && ");
  const dated = Object.entries({ authority: ca, certificate: pair }).flatMap(([what, pem]) =>
    pem ? [{ what, certificate: new X509Certificate(pem) }] : [],
  );
  if (dated.length === 0) return [];
  const ends = dated.map(({ what, certificate }) => {
    const days = Math.floor((Date.parse(certificate.validTo) - facts.now.getTime()) / DAY_MS);
    return { what, days, until: new Date(certificate.validTo).toISOString().slice(0, 10) };
  });
  const first = ends.sort((a, b) => a.days - b.days)[0]!;
  const evidence = `Kyverno's ${first.what} ends ${first.until}, in ${first.days} days`;
  if (first.days < 0) return [finding("problem", id, evidence, fix)];
  if (first.days < RENEWED_DAYS)
    return [finding("warning", id, `${evidence}, and should have been renewed by now`, fix)];
  return [ok(id, evidence)];
}

function failurePolicy(facts: Facts, configurations: readonly WebhookConfiguration[]): Finding[] {
  const wanted = facts.stack?.resolved.posture.policies.some(({ failurePolicy }) => failurePolicy === "Fail");
  if (!wanted) return [];
  const open = FOR_RESOURCES.filter((name) => {
    const found = configurations.find(({ kind, name: own }) => `${kind}/${own}` === name);
    return found && found.webhooks.length > 0 && !found.webhooks.some((hook) => hook.failurePolicy === "Fail");
  });
  const id = "webhooks.failurePolicy";
  if (open.length === 0) return [ok(id, "enforced namespaces refuse while Kyverno is down")];
  const evidence = `${open.join(", ")} let everything through while Kyverno is down; the stack wants Fail`;
  return [finding("problem", id, evidence, restart(facts, `${facts.release}-admission-controller`))];
}

/** Namespaces that Kyverno is never called for. */
function excluded(facts: Facts, configurations: readonly WebhookConfiguration[]): Finding[] {
  const id = "webhooks.excluded";
  const hooks = configurations
    .filter(({ kind, name }) => FOR_RESOURCES.includes(`${kind}/${name}`))
    .flatMap(({ webhooks }) => webhooks);
  if (hooks.length === 0) return [];
  const found = [...new Set(hooks.flatMap((hook) => hook.excluded))].sort();
  const wanted = wantedExclusions(facts);
  if (!wanted) return [ok(id, `never called for ${found.join(", ") || "no namespace"}`)];
  const more = found.filter((name) => !wanted.includes(name));
  const fewer = wanted.filter((name) => hooks.some((hook) => !hook.excluded.includes(name)));
  const own = ownConditions(facts);
  const conditions = hooks.reduce(
    (sum, { otherConditions, matchConditions }) =>
      sum + otherConditions + matchConditions.filter((condition) => !own.has(condition)).length,
    0,
  );
  const findings = [
    ...(more.length > 0
      ? [finding("problem", id, `images in ${more.join(", ")} are never looked at`, reapplyRelease(facts))]
      : []),
    ...(hooks.every(({ calledForPods }) => !calledForPods)
      ? [finding("problem", id, "none of them is called for pods", reapplyRelease(facts))]
      : []),
    ...(conditions > 0
      ? [
          finding(
            "problem",
            id,
            "the webhooks look at some objects only, by labels or conditions",
            reapplyRelease(facts),
          ),
        ]
      : []),
    ...(fewer.length > 0
      ? [finding("warning", id, `Kyverno's outage would stop ${fewer.join(", ")}`, reapplyRelease(facts))]
      : []),
  ];
  return findings.length > 0 ? findings : [ok(id, `never called for ${found.join(", ")}`)];
}

/** Conditions that the stack's own policies state, and Kyverno passes on to the API server. */
function ownConditions({ stack }: Facts): ReadonlySet<string> {
  const policies = stack ? policiesOf(stack.compiled) : [];
  const stated = policies.map(({ spec }) => (spec as { matchConditions?: { expression: string }[] }).matchConditions);
  return new Set(stated.flatMap((list) => (list ?? []).map(({ expression }) => expression)));
}

function wantedExclusions({ stack, namespace }: Facts): string[] | undefined {
  if (!stack) return undefined;
  const { config } = stack.compiled.chartValues as { config?: { webhooks?: unknown } };
  const [block] = [config?.webhooks].flat() as {
    namespaceSelector?: { matchExpressions?: { values?: string[] }[] };
  }[];
  const values = block?.namespaceSelector?.matchExpressions?.flatMap((expression) => expression.values ?? []) ?? [];
  return [...new Set([...values, namespace])].sort();
}
