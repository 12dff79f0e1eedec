import * as fs from "node:fs";
import { compilePosture } from "../../components/compile";
import { ClusterClient } from "../../components/kubernetes/client";
import { isManaged, MANAGED_BY } from "../../components/kubernetes/manifest";
import { objectOf } from "../../components/kubernetes/objects";
import { NAMESPACES } from "../../components/kubernetes/resources";
import { type Revision, revisionsOf, unfinished } from "../../components/kyverno/helmRelease";
import { readInstallation } from "../../components/kyverno/installed/facts";
import { unusable } from "../../components/kyverno/installed/findings";
import { POLICY_KINDS } from "../../components/policies/kinds";
import type { Posture } from "../../components/posture/types";
import { resolveSettings } from "../../components/resolve";
import { type Child, childrenOf, RELEASE_TYPE, releaseResource, resourceType } from "../../components/resourceNames";
import { GUARD_TYPE } from "../../components/settings";
import { type ClusterOptions, clusterTarget, isJson, type OutputOptions, type StackOptions } from "../options";
import { writingTo } from "../output";
import { readStackSettings } from "../settings/stackSettings";

export interface AdoptOptions extends ClusterOptions, StackOptions, OutputOptions {
  stack: string;
  name: string;
  out: string;
}

/** A line of the file that `pulumi import --file` reads. */
export interface Import {
  readonly type: string;
  readonly name: string;
  readonly id?: string;
  readonly parent?: string;
  readonly component?: true;
}

/** What of a guard's parts is in the cluster. */
export interface Present {
  readonly release: boolean;
  readonly children: readonly (Child & { readonly isManaged: boolean })[];
}

/**
 * What to import: the component and each part that is there. Those that the state knows are left as they are by
 * `pulumi import`, so that it need not be known which these are.
 */
export function importsOf({ kyverno }: Posture, guard: string, { release, children }: Present): Import[] {
  return [
    { type: GUARD_TYPE, name: guard, component: true },
    ...children.map(({ resource, manifest }) => {
      const { name, namespace } = manifest.metadata;
      const id = namespace === undefined ? name : `${namespace}/${name}`;
      return { type: resourceType(manifest), name: resource, id, parent: guard };
    }),
    ...(release
      ? [
          {
            type: RELEASE_TYPE,
            name: releaseResource(guard),
            id: `${kyverno.namespace}/${kyverno.releaseName}`,
            parent: guard,
          },
        ]
      : []),
  ];
}

/** Why nothing can be adopted as it is; undefined where something can. */
async function obstacle(
  client: ClusterClient,
  posture: Posture,
  revisions: readonly Revision[],
  { release, children }: Present,
): Promise<string | undefined> {
  const { namespace, releaseName, install } = posture.kyverno;
  const nothing =
    "nothing of the guard and no Kyverno of its own is in this cluster: pulumi up makes what is to be there";
  if (install === false) return children.length === 0 ? nothing : undefined;
  const broken = unfinished(revisions);
  if (broken)
    return `the Helm release ${releaseName} is ${broken.status}: image-signing-guard recover --mend-release --namespace ${namespace} --release ${releaseName}`;
  const installation = await readInstallation(client, posture.kyverno);
  const hasKyverno = installation.controllers.length + installation.elsewhere.length > 0;
  if (hasKyverno && !release)
    return `Kyverno in ${namespace} was not installed by Helm as ${releaseName}, so there is no release to adopt; use it as it is with kyverno.install: false, name it (kyverno.namespace, kyverno.releaseName), or install the chart over it first (helm upgrade --install --take-ownership)`;
  const none = release ? unusable(installation, posture) : undefined;
  if (none) return `${none.found}; ${none.fix}`;
  return children.length === 0 ? nothing : undefined;
}

const [LABEL, VALUE] = Object.entries(MANAGED_BY)[0]!;

/** The commands that adopt what was found, in their order. */
export function commandsFor({ stack, out }: Pick<AdoptOptions, "stack" | "out">, { children }: Present): string[] {
  const unmarked = (kind: string) =>
    children.flatMap(({ manifest, isManaged: marked }) =>
      manifest.kind === kind && !marked ? [manifest.metadata.name] : [],
    );
  const label = (kind: { kind: string; plural: string }) => {
    const names = unmarked(kind.kind);
    return names.length > 0 ? [`kubectl label ${kind.plural} ${names.join(" ")} ${LABEL}=${VALUE}`] : [];
  };
  return [
    `pulumi import --stack ${stack} --file ${out} --protect=false --generate-code=false --yes`,
    ...label(NAMESPACES),
    ...POLICY_KINDS.flatMap(label),
    `pulumi up --stack ${stack} --diff`,
  ];
}

export async function runAdopt(options: AdoptOptions): Promise<void> {
  const settings = readStackSettings(options.stack, options.cwd, { ...options, without: "kubeconfig" });
  const resolved = resolveSettings(settings);
  const { posture } = resolved;
  const client = ClusterClient.of(clusterTarget(options));
  const { namespace, releaseName, install } = posture.kyverno;
  const found = await Promise.all(
    childrenOf(compilePosture(resolved), options.name).map(async (child) => {
      const live = await objectOf(client, child.manifest);
      return live ? [{ ...child, isManaged: isManaged(live) }] : [];
    }),
  );
  // What somebody else runs stays theirs; what the guard made beside it may still be unknown to the state.
  const revisions = install === false ? [] : await revisionsOf(client, namespace, releaseName);
  const present: Present = { release: revisions.length > 0, children: found.flat() };
  const why = await obstacle(client, posture, revisions, present);
  if (why !== undefined) {
    if (isJson(options)) print({ version: 1, adopted: [], obstacle: why });
    else process.stderr.write(`${why}\n`);
    process.exitCode = 1;
    return;
  }
  const resources = importsOf(posture, options.name, present);
  const commands = commandsFor(options, present);
  writingTo(options.out, "file", () => fs.writeFileSync(options.out, `${JSON.stringify({ resources }, null, 2)}\n`));
  if (isJson(options)) return print({ version: 1, adopted: resources, commands });
  const lines = commands.map((line) => `  ${line}\n`).join("");
  const retain =
    !present.release || posture.kyverno.retainOnDelete
      ? ""
      : "\nkyverno.retainOnDelete: true keeps Kyverno in the cluster when the stack is destroyed.\n";
  process.stdout.write(`wrote ${options.out}: ${resources.length} resources. Then:\n\n${lines}${retain}`);
}

function print(answer: object): void {
  process.stdout.write(`${JSON.stringify(answer, null, 2)}\n`);
}
