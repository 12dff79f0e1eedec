import { parseReference, policyText } from "../../cli/images/reference";
import type { Manifest } from "../../components/kubernetes/manifest";
import {
  CLUSTER_POLICIES,
  type KubeObject,
  POLICY_REPORTS,
  type Resource,
  SCAN_REPORTS,
} from "../../components/kubernetes/resources";
import { WORKLOADS } from "../../components/kubernetes/workloads";
import { entryRule, RULE } from "../../components/policies/names";

/** Objects as a cluster has them, for tests that need no cluster. */

const VERSION = "100";
let uids = 0;
const uid = () => `uid-${++uids}`;

export const resourceOf = (kind: string): Resource =>
  [...WORKLOADS, CLUSTER_POLICIES, SCAN_REPORTS, POLICY_REPORTS].find((resource) => resource.kind === kind)!;

type Annotations = Record<string, string>;
interface Extra {
  annotations?: Annotations;
  owner?: KubeObject;
  replicas?: number;
  status?: object;
}

function object(kind: string, namespace: string, name: string, fields: object, { owner, status }: Extra): KubeObject {
  const { group, version } = resourceOf(kind);
  const reference = owner && {
    apiVersion: owner.apiVersion,
    kind: owner.kind!,
    name: owner.metadata!.name!,
    uid: owner.metadata!.uid!,
    controller: true,
  };
  return {
    apiVersion: group ? `${group}/${version}` : version,
    kind,
    metadata: { name, namespace, uid: uid(), ...(reference ? { ownerReferences: [reference] } : {}) },
    ...fields,
    ...(status ? { status } : {}),
  };
}

const containers = (images: readonly string[]) => ({
  containers: images.map((image, index) => ({ name: `c${index}`, image })),
});

export function pod(namespace: string, name: string, images: readonly string[], extra: Extra = {}): KubeObject {
  const made = object("Pod", namespace, name, { spec: containers(images) }, extra);
  return extra.annotations ? { ...made, metadata: { ...made.metadata, annotations: extra.annotations } } : made;
}

export function workload(
  kind: string,
  namespace: string,
  name: string,
  images: readonly string[],
  extra: Extra = {},
): KubeObject {
  const metadata = extra.annotations ? { annotations: extra.annotations } : {};
  const template = { metadata, spec: containers(images) };
  const replicas = extra.replicas === undefined ? {} : { replicas: extra.replicas };
  if (kind === "CronJob")
    return object(kind, namespace, name, { spec: { jobTemplate: { spec: { template } } } }, extra);
  if (kind === "ControllerRevision")
    return object(kind, namespace, name, { data: { spec: { template } }, revision: 1 }, extra);
  return object(kind, namespace, name, { spec: { ...replicas, template } }, extra);
}

/** A compiled policy as the API server stores it. */
export function stored(policy: Manifest): KubeObject {
  return {
    ...policy,
    metadata: { ...policy.metadata, resourceVersion: VERSION, uid: uid() },
    status: { conditions: [{ type: "Ready", status: "True" }] },
  } as unknown as KubeObject;
}

export interface RowInput {
  policy: string;
  rule: string;
  result: string;
  message: string;
  seconds?: number;
}

const result = ({ policy, rule, result, message, seconds = 1_780_000_000 }: RowInput) => ({
  source: "kyverno",
  policy,
  rule,
  result,
  message,
  scored: true,
  timestamp: { seconds, nanos: 0 },
});

function reportLabels(rows: readonly RowInput[], version: string): Record<string, string> {
  return Object.fromEntries(rows.map(({ policy }) => [`cpol.kyverno.io/${policy}`, version]));
}

export function scanReport(about: KubeObject, rows: readonly RowInput[], version = VERSION): KubeObject {
  const { kind, apiVersion, metadata } = about;
  return {
    apiVersion: "kyverno.io/v1alpha2",
    kind: "BackgroundScanReport",
    metadata: {
      name: metadata!.uid!,
      namespace: metadata!.namespace!,
      labels: reportLabels(rows, version),
      ownerReferences: [{ kind: kind!, name: metadata!.name!, uid: metadata!.uid!, apiVersion } as never],
    },
    spec: { summary: {}, results: rows.map(result) },
  };
}

export function policyReport(namespace: string, rows: readonly RowInput[], version = VERSION): KubeObject {
  return {
    apiVersion: "wgpolicyk8s.io/v1alpha2",
    kind: "PolicyReport",
    metadata: { name: `cpol-${rows[0]!.policy}`, namespace, labels: reportLabels(rows, version) },
    results: rows.map(result),
  };
}

const signedBy = { policy: "require-signed-images", rule: entryRule("signedBy", "modulo") };
const seen = (image: string) => policyText(parseReference(image));

/** What Kyverno 1.10.7 writes, word for word. */
export const rows = {
  pass: (image: string, at: Partial<RowInput> = {}): RowInput => ({
    ...signedBy,
    result: "pass",
    message: `verified image signatures for ${seen(image)}`,
    ...at,
  }),
  unsigned: (image: string, at: Partial<RowInput> = {}): RowInput => ({
    ...signedBy,
    result: "fail",
    message: `failed to verify image ${seen(image)}: .attestors[0].entries[0].keyless: no matching signatures:\n`,
    ...at,
  }),
  wrongSigner: (image: string): RowInput => ({
    ...signedBy,
    result: "fail",
    message: `failed to verify image ${seen(image)}: .attestors[0].entries[0].keyless: subject mismatch: expected https://github.com/Ikey168/Modulo/.github/workflows/docker-build.yml@refs/heads/main, received https://github.com/mallory/Modulo/.github/workflows/docker-build.yml@refs/heads/main`,
  }),
  registryDenied: (image: string): RowInput => ({
    ...signedBy,
    result: "fail",
    message: `failed to verify image ${seen(image)}: .attestors[0].entries[0].keyless: GET https://ghcr.io/token: UNAUTHORIZED: authentication required`,
  }),
  registrySilent: (image: string): RowInput => ({
    ...signedBy,
    result: "error",
    message: `failed to verify image ${seen(image)}: .attestors[0].entries[0].keyless: Get "https://ghcr.io/v2/": dial tcp 10.0.0.1:443: connect: connection refused`,
  }),
  secondLook: (): RowInput => ({ ...signedBy, result: "pass", message: "image verified" }),
  noSigner: (images: readonly string[]): RowInput => ({
    policy: "audit-unsigned-images",
    rule: RULE.imageHasASigner,
    result: "fail",
    message: `no signer is configured for ${images.join(", ")}`,
  }),
};
