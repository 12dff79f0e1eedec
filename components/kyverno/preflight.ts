import { MetricsScrape } from "../args";
import { ClusterClient } from "../kubernetes/client";
import type { ClusterTarget } from "../kubernetes/kubeConfig";
import { isManaged, MANAGED_BY, type Manifest } from "../kubernetes/manifest";
import { type KubeObject, NAMESPACES, objectName, type Resource, resource } from "../kubernetes/resources";
import { POLICY_KINDS } from "../policies/kinds";
import { KYVERNO_LINES } from "../posture/kyvernoLines";
import type { KyvernoPlan, Posture } from "../posture/types";
import { revisionsOf, unfinished } from "./helmRelease";
import { readInstallation } from "./installed/facts";
import { type Judged, judgeInstallation } from "./installed/judge";

const DEFINITIONS = resource("CustomResourceDefinition", "apiextensions.k8s.io/v1", "customresourcedefinitions", {
  namespaced: false,
});
/** Every Kyverno has it, however it was installed. */
const POLICY_DEFINITION = "clusterpolicies.kyverno.io";

interface Definition extends KubeObject {
  readonly spec?: {
    readonly group?: string;
    readonly names?: { readonly kind?: string; readonly plural?: string };
    readonly scope?: string;
  };
  readonly status?: { readonly storedVersions?: readonly string[] };
}

/** Why the release would fail half-way, and what to do instead. */
export interface Obstacle {
  readonly found: string;
  readonly fix: string;
}

/** What must go before the release can change, and can go because nothing is in it. */
export interface Preparation {
  readonly obstacles: readonly Obstacle[];
  readonly emptyDefinitions: readonly string[];
}

/**
 * Looks at what is in the cluster before anything changes. Helm and the provider find the same out too, but half-way, and
 * in words that name no way out.
 */
export async function examine(
  client: ClusterClient,
  posture: Pick<Posture, "kyverno" | "monitoring">,
): Promise<Preparation> {
  const { kyverno } = posture;
  const foreign = await foreignInstallation(client, kyverno);
  if (foreign) return { obstacles: [foreign], emptyDefinitions: [] };
  const obstacles = await missingOperator(client, posture);
  const broken = unfinished(await revisionsOf(client, kyverno.namespace, kyverno.releaseName));
  if (broken) {
    obstacles.push({
      found: `the Helm release ${kyverno.releaseName} in ${kyverno.namespace} is ${broken.status}${broken.since ? ` since ${broken.since}` : ""}: an earlier run was broken off`,
      fix: `if no other run is at work: image-signing-guard recover --mend-release --namespace ${kyverno.namespace} --release ${kyverno.releaseName}, then pulumi up again`,
    });
  }
  const emptyDefinitions: string[] = [];
  for (const definition of await outdatedDefinitions(client, kyverno)) {
    const objects = (await client.list(kindOf(definition), { metadataOnly: true })) ?? [];
    const name = definition.metadata?.name ?? "";
    if (objects.length === 0) emptyDefinitions.push(name);
    else
      obstacles.push({
        found: `${objects.length} ${definition.spec?.names?.kind} of a version that Kyverno ${kyverno.appVersion} does not have (${objectName(objects[0]!)}${objects.length > 1 ? ", ..." : ""})`,
        fix: `keep a copy (kubectl get ${name} -A -o yaml), write it anew in a version that it has, and delete the objects; the definition then goes by itself`,
      });
  }
  return { obstacles, emptyDefinitions };
}

/** What is about to be made. */
export interface Wanted {
  readonly posture: Posture;
  /** ConfigMap with the trust anchors' files, where such are needed. */
  readonly trust?: Manifest;
  readonly policies: readonly Manifest[];
}

/** What stands in the way of it, and what is worth knowing before. Changes nothing. */
export async function lookAhead(target: ClusterTarget, wanted: Wanted): Promise<Judged> {
  const { refused, warned } = await examineFor(ClusterClient.of(target), wanted);
  return { refused, warned };
}

/**
 * Throws what stands in the way. Definitions that hold nothing and would make the newer chart fail are removed; the chart
 * makes them anew in the version that it has.
 *
 * @returns what is worth knowing
 */
export async function clearTheWay(target: ClusterTarget, wanted: Wanted): Promise<readonly string[]> {
  const client = ClusterClient.of(target);
  const { refused, warned, emptyDefinitions } = await examineFor(client, wanted);
  if (refused.length > 0) throw new Error(refused.join("\n"));
  for (const name of emptyDefinitions) await client.delete(DEFINITIONS, name);
  return warned;
}

async function examineFor(
  client: ClusterClient,
  wanted: Wanted,
): Promise<Judged & Pick<Preparation, "emptyDefinitions">> {
  const { posture, trust, policies } = wanted;
  const taken = await policiesOfOthers(client, policies);
  if (posture.kyverno.install === false) {
    const { refused, warned } = judgeInstallation(await readInstallation(client, posture.kyverno), posture, trust);
    const own = await ownInstallation(client, posture.kyverno);
    return { refused: [...refused, ...[...own, ...taken].map(inWords)], warned, emptyDefinitions: [] };
  }
  const { obstacles, emptyDefinitions } = await examine(client, posture);
  const warned =
    emptyDefinitions.length > 0
      ? [
          `the chart of Kyverno ${posture.kyverno.appVersion} has other versions of ${emptyDefinitions.join(", ")}; they hold nothing, so they are deleted and made anew`,
        ]
      : [];
  return { refused: [...obstacles, ...taken].map(inWords), warned, emptyDefinitions };
}

const MONITORS = "servicemonitors.monitoring.coreos.com";

/** Helm would say so half-way. */
async function missingOperator(
  client: ClusterClient,
  { kyverno, monitoring }: Pick<Posture, "kyverno" | "monitoring">,
): Promise<Obstacle[]> {
  if (monitoring?.scrape !== MetricsScrape.ServiceMonitors) return [];
  if (KYVERNO_LINES[kyverno.target].chartLooksForOperator) return [];
  if (await client.find<Definition>(DEFINITIONS, MONITORS)) return [];
  return [
    {
      found: `the cluster has no ServiceMonitors, and the chart of Kyverno ${kyverno.appVersion} makes some all the same (monitoring.scrape: serviceMonitors)`,
      fix: "install the Prometheus Operator first, or set monitoring.scrape: annotations",
    },
  ];
}

const inWords = ({ found, fix }: Obstacle) => `${found}; ${fix}`;

/** Policies by our names that somebody else applied, by kubectl or from another guard: they are not fought over. */
async function policiesOfOthers(client: ClusterClient, wanted: readonly Manifest[]): Promise<Obstacle[]> {
  const [label, value] = Object.entries(MANAGED_BY)[0]!;
  const found = await Promise.all(
    POLICY_KINDS.map(async (resource): Promise<Obstacle[]> => {
      const names = wanted.filter(({ kind }) => kind === resource.kind).map(({ metadata }) => metadata.name);
      if (names.length === 0) return [];
      const taken = ((await client.list(resource, { metadataOnly: true })) ?? [])
        .filter((policy) => !isManaged(policy))
        .map(({ metadata }) => metadata?.name ?? "")
        .filter((name) => names.includes(name));
      if (taken.length === 0) return [];
      const what = taken.length === 1 ? `a ${resource.kind}` : resource.kind.replace(/y$/, "ies");
      return [
        {
          found: `${what} ${taken.join(", ")} that this guard did not make`,
          fix: `keep a copy, and let the guard's take its place: kubectl delete ${resource.kind.toLowerCase()} ${taken.join(" ")}, then pulumi up at once; or have it changed in place: image-signing-guard adopt lists it for pulumi import, and prints the label (${label}=${value}) that it needs`,
        },
      ];
    }),
  );
  return found.flat();
}

/** A Kyverno that this guard did not install: Helm's annotations and our label on the namespace tell. */
async function foreignInstallation(client: ClusterClient, kyverno: KyvernoPlan): Promise<Obstacle | undefined> {
  const definition = await client.find<Definition>(DEFINITIONS, POLICY_DEFINITION);
  if (!definition) return undefined;
  const annotations = definition.metadata?.annotations ?? {};
  const release = annotations["meta.helm.sh/release-name"];
  const namespace = annotations["meta.helm.sh/release-namespace"];
  const isNamed = release === kyverno.releaseName && namespace === kyverno.namespace;
  if (isNamed) {
    if (await isHome(client, kyverno)) return undefined;
  }
  const by = release ? `Helm release ${release} in namespace ${namespace}` : "something else than Helm";
  return {
    found: `Kyverno is installed here already, by ${by}, and not by this guard; a cluster holds one Kyverno`,
    fix: "use it as it is with kyverno.install: false, make it the guard's own (image-signing-guard adopt), name another cluster, or let that installation go first (its policies go with it: kubectl get clusterpolicies,policies -A)",
  };
}

/** A Kyverno that a guard installed, and this stack would no longer: it would be uninstalled, with every policy in force. */
async function ownInstallation(client: ClusterClient, kyverno: KyvernoPlan): Promise<Obstacle[]> {
  if (!(await isHome(client, kyverno))) return [];
  const { namespace } = kyverno;
  const [label] = Object.keys(MANAGED_BY);
  return [
    {
      found: `the Kyverno in ${namespace} was installed by a guard, and would be uninstalled where a stack stops installing it`,
      fix: `to give it to somebody else: pulumi up once with kyverno.retainOnDelete: true and without install: false, then kubectl label namespace ${namespace} ${label}-, and again`,
    },
  ];
}

/** Whether a guard made Kyverno's namespace, and so what is in it. */
async function isHome(client: ClusterClient, { namespace }: KyvernoPlan): Promise<boolean> {
  const home = await client.find(NAMESPACES, namespace);
  return home !== undefined && isManaged(home);
}

/** Definitions whose objects are stored in a version that the chart's own definition does not have. */
async function outdatedDefinitions(client: ClusterClient, { target }: KyvernoPlan): Promise<Definition[]> {
  const found: Definition[] = [];
  for (const [name, versions] of Object.entries(KYVERNO_LINES[target].versions)) {
    const definition = await client.find<Definition>(DEFINITIONS, name);
    const stored = definition?.status?.storedVersions ?? [];
    if (definition && stored.some((version) => !versions.includes(version))) found.push(definition);
  }
  return found;
}

function kindOf({ spec, status }: Definition): Resource {
  const version = status?.storedVersions?.[0] ?? "v1";
  return resource(spec?.names?.kind ?? "", `${spec?.group}/${version}`, spec?.names?.plural ?? "", {
    namespaced: spec?.scope === "Namespaced",
  });
}
