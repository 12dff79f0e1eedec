import * as fs from "node:fs";
import { type Compiled, compilePosture, policiesOf } from "../../components/compile";
import { ClusterClient } from "../../components/kubernetes/client";
import { isManaged, MANAGED_BY, type Manifest } from "../../components/kubernetes/manifest";
import { CLUSTER_POLICIES, type KubeObject, resource } from "../../components/kubernetes/resources";
import { revisionsOf, unfinished } from "../../components/kyverno/helmRelease";
import { readInstallation } from "../../components/kyverno/installed/facts";
import { unusable } from "../../components/kyverno/installed/findings";
import { fileReason } from "../../components/mistakes";
import type { Posture } from "../../components/posture/types";
import { GuardInputError } from "../../components/problems";
import { resolveSettings } from "../../components/resolve";
import { childName, RELEASE_TYPE, releaseResource, resourceType } from "../../components/resourceNames";
import { GUARD_TYPE } from "../../components/settings";
import { type ClusterOptions, clusterTarget, isJson, type OutputOptions, type StackOptions } from "../options";
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

/** What is in the cluster under the names that the stack would give. */
export interface Present {
  /** Kinds and names of objects that nobody's guard made, as KIND/NAME. */
  readonly objects: readonly string[];
  /** Why the release can't be adopted as it is. */
  readonly obstacle?: string;
}

/** What to import: the component, Kyverno's namespace and release, and each object that has a name of the guard's. */
export function importsOf(compiled: Compiled, { kyverno }: Posture, guard: string, present: Present): Import[] {
  const child = (manifest: Manifest): Import => ({
    type: resourceType(manifest),
    name: childName(guard, manifest),
    id: manifest.metadata.name,
    parent: guard,
  });
  const others = [...compiled.leftoverGuards, ...policiesOf(compiled)].filter((manifest) =>
    present.objects.includes(objectKey(manifest)),
  );
  return [
    { type: GUARD_TYPE, name: guard, component: true },
    child(compiled.namespace!),
    {
      type: RELEASE_TYPE,
      name: releaseResource(guard),
      id: `${kyverno.namespace}/${kyverno.releaseName}`,
      parent: guard,
    },
    ...others.map(child),
  ];
}

function objectKey({ kind, metadata }: Manifest): string {
  return `${kind}/${metadata.name}`;
}

async function lookAt(client: ClusterClient, compiled: Compiled, posture: Posture): Promise<Present> {
  const { namespace, releaseName } = posture.kyverno;
  const none = unusable(await readInstallation(client, posture.kyverno), posture);
  if (none) return { objects: [], obstacle: `${none.found}; ${none.fix}` };
  const revisions = await revisionsOf(client, namespace, releaseName);
  if (revisions.length === 0)
    return {
      objects: [],
      obstacle: `Kyverno in ${namespace} was not installed by Helm, so there is no release to adopt; use it as it is with kyverno.install: false, or install the chart over it first (helm upgrade --install --take-ownership)`,
    };
  const broken = unfinished(revisions);
  if (broken)
    return {
      objects: [],
      obstacle: `the Helm release ${releaseName} is ${broken.status}; helm rollback ${releaseName} first`,
    };
  const found = await Promise.all(
    [...compiled.leftoverGuards, ...policiesOf(compiled)].map(async (manifest) => {
      const live = await client.find<KubeObject>(resourceOf(manifest), manifest.metadata.name);
      return live && !isManaged(live) ? [objectKey(manifest)] : [];
    }),
  );
  return { objects: found.flat() };
}

/** All that are adopted lie in no namespace. */
function resourceOf({ apiVersion, kind }: Manifest) {
  if (kind === CLUSTER_POLICIES.kind) return CLUSTER_POLICIES;
  return resource(kind, apiVersion, `${kind.toLowerCase()}s`, { namespaced: false });
}

const [LABEL, VALUE] = Object.entries(MANAGED_BY)[0]!;

/** The commands that adopt what was found, in their order. */
export function commandsFor(
  options: Pick<AdoptOptions, "stack" | "out">,
  { kyverno }: Posture,
  present: Present,
): string[] {
  const policies = present.objects.flatMap((key) =>
    key.startsWith(`${CLUSTER_POLICIES.kind}/`) ? [key.slice(CLUSTER_POLICIES.kind.length + 1)] : [],
  );
  return [
    `pulumi import --stack ${options.stack} --file ${options.out} --protect=false --generate-code=false --yes`,
    `kubectl label namespace ${kyverno.namespace} ${LABEL}=${VALUE}`,
    ...(policies.length > 0 ? [`kubectl label clusterpolicies ${policies.join(" ")} ${LABEL}=${VALUE}`] : []),
    `pulumi up --stack ${options.stack} --diff`,
  ];
}

export async function runAdopt(options: AdoptOptions): Promise<void> {
  const settings = readStackSettings(options.stack, options.cwd, { ...options, without: "kubeconfig" });
  const resolved = resolveSettings(settings);
  const { posture } = resolved;
  if (posture.kyverno.install === false)
    throw new GuardInputError([
      {
        key: "kyverno.install",
        found: "false",
        allowed: "true, where Kyverno is to be the guard's own",
        fix: "remove the key, and keep the rest",
      },
    ]);
  const compiled = compilePosture(resolved);
  const client = ClusterClient.of(clusterTarget(options));
  const present = await lookAt(client, compiled, posture);
  if (present.obstacle !== undefined) {
    if (isJson(options))
      process.stdout.write(`${JSON.stringify({ version: 1, adopted: [], obstacle: present.obstacle }, null, 2)}\n`);
    else process.stderr.write(`${present.obstacle}\n`);
    process.exitCode = 1;
    return;
  }
  const resources = importsOf(compiled, posture, options.name, present);
  const commands = commandsFor(options, posture, present);
  write(options.out, `${JSON.stringify({ resources }, null, 2)}\n`);
  if (isJson(options)) {
    process.stdout.write(`${JSON.stringify({ version: 1, adopted: resources, commands }, null, 2)}\n`);
    return;
  }
  const retain = posture.kyverno.retainOnDelete
    ? ""
    : "\nkyverno.retainOnDelete: true keeps Kyverno in the cluster when the stack is destroyed.\n";
  process.stdout.write(
    `wrote ${options.out}: ${resources.length} resources. Then:\n\n${commands.map((line) => `  ${line}\n`).join("")}${retain}`,
  );
}

function write(file: string, text: string): void {
  try {
    fs.writeFileSync(file, text);
  } catch (error) {
    throw new GuardInputError([
      {
        key: "--out",
        found: `${file}: ${fileReason((error as Error).message)}`,
        allowed: "a file that can be written",
        fix: "name another file",
      },
    ]);
  }
}
