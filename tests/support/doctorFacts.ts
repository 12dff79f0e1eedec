import "reflect-metadata";
import { webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";
import type { Facts } from "../../cli/doctor/facts";
import { compilePosture, policiesOf } from "../../components/compile";
import { TRUST_FILES } from "../../components/kyverno/trustFiles";
import { resolveSettings } from "../../components/resolve";
import { NOW, stackSettings } from "./settings";

/** A self-signed certificate with these days around the tests' time. */
export async function certificate(fromDays: number, untilDays: number): Promise<string> {
  x509.cryptoProvider.set(webcrypto as Crypto);
  const keys = await webcrypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["sign", "verify"]);
  const day = (days: number) => new Date(NOW.getTime() + days * 86_400_000);
  const made = await x509.X509CertificateGenerator.createSelfSigned({
    name: "CN=*.kyverno.svc",
    notBefore: day(fromDays),
    notAfter: day(untilDays),
    keys: keys as CryptoKeyPair,
    signingAlgorithm: { name: "ECDSA", hash: "SHA-256" },
  });
  return `${made.toString("pem")}\n`;
}

export type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** What a cluster looks like in which the prod stack is in order. */
export async function healthyFacts(): Promise<Mutable<Facts>> {
  const resolved = resolveSettings(stackSettings("prod"), { now: NOW });
  const compiled = compilePosture(resolved);
  const { kyverno } = resolved.posture;
  const ca = await certificate(-10, 355);
  const trust = compiled.trust!;
  const config = (compiled.chartValues as { config: { resourceFilters: string[]; webhooks: never[] } }).config;
  const excluded = [
    ...(config.webhooks as { namespaceSelector: { matchExpressions: { values: string[] }[] } }[])[0]!.namespaceSelector
      .matchExpressions[0]!.values,
    "kyverno",
  ];
  const hook = (failurePolicy: string) => ({
    name: `mutate.kyverno.svc-${failurePolicy.toLowerCase()}`,
    failurePolicy,
    caBundle: ca,
    excluded,
    otherConditions: 0,
    matchConditions: [],
    calledForPods: true,
  });
  const configuration = (kind: "mutating" | "validating", name: string, policies: string[]) => ({
    kind,
    name: `kyverno-${name}-${kind}-webhook-cfg`,
    webhooks: policies.map(hook),
  });
  const env = Object.fromEntries(
    Object.values(TRUST_FILES).map(({ file, variable }) => [variable, `/.sigstore/${file}`]),
  );
  const deployment = (component: string, replicas = 1) => ({
    name: `kyverno-${component}`,
    component,
    wanted: replicas,
    available: replicas,
    image: `ghcr.io/kyverno/${component}:${kyverno.appVersion}`,
    args: ["--enablePolicyException=false", "--forceFailurePolicyIgnore=false"],
    env,
    configMaps: [trust.metadata.name],
  });
  return {
    now: NOW,
    commands: {
      kubectl: "kubectl",
      helm: "helm",
      guard: "npx image-signing-guard",
      clusterFlags: "",
      stackFlags: "--stack=prod",
    },
    namespace: "kyverno",
    release: "kyverno",
    stack: { name: "prod", folder: ".", resolved, compiled },
    engine: { cli: "v3.200.0", plugins: ["4.34.2"], wantedPlugin: "4.34.2" },
    cluster: { known: { server: "https://k8s.example.com", version: "v1.30.1", skewSeconds: 0 } },
    releases: {
      known: [
        {
          name: "kyverno",
          revision: 3,
          status: "deployed",
          chart: `kyverno-${kyverno.chartVersion}`,
          appVersion: kyverno.appVersion,
          secret: "sh.helm.release.v1.kyverno.v3",
        },
        { name: "kyverno", revision: 2, status: "superseded", secret: "sh.helm.release.v1.kyverno.v2" },
      ],
    },
    deployments: {
      known: [
        deployment("admission-controller", kyverno.replicas),
        ...["background-controller", "cleanup-controller", "reports-controller"].map((name) => deployment(name)),
      ],
    },
    pods: { known: [{ name: "kyverno-admission-controller-a", waiting: [], restarts: 1 }] },
    heartbeat: { known: new Date(NOW.getTime() - 9000) },
    webhooks: {
      known: [
        configuration("mutating", "policy", ["Fail"]),
        configuration("validating", "policy", ["Fail"]),
        configuration("mutating", "verify", ["Ignore"]),
        configuration("mutating", "resource", ["Ignore", "Fail"]),
        configuration("validating", "resource", ["Ignore", "Fail"]),
        configuration("validating", "exception", []),
      ],
    },
    backstop: { known: structuredClone(compiled.backstop) },
    certificates: { known: { ca, pair: await certificate(-10, 140) } },
    crds: { known: ["clusterpolicies.kyverno.io", "policies.kyverno.io", "policyreports.wgpolicyk8s.io"] },
    policies: {
      known: policiesOf(compiled).map((manifest) => ({
        kind: "ClusterPolicy" as const,
        name: manifest.metadata.name,
        role: manifest.metadata.labels!["image-signing-guard/role"]!,
        spec: structuredClone(manifest.spec) as Record<string, unknown>,
        annotations: {},
        ready: true,
        managers: ["pulumi-kubernetes-1234"],
      })),
    },
    config: { known: { resourceFilters: `${config.resourceFilters.join(" ")} [*/*,kyverno,*]`, excludeGroups: "" } },
    trustMap: { known: trust.data as Record<string, string> },
    pullSecrets: { known: [] },
    reports: { known: { count: 12, newest: new Date(NOW.getTime() - 600_000) } },
    exceptions: { known: [] },
    registries: [{ host: "ghcr.io" }],
  };
}
