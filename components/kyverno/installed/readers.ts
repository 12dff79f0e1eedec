import { InstallationFinding as F } from "../../args";
import type { Manifest } from "../../kubernetes/manifest";
import type { Posture } from "../../posture/types";
import { flagValue } from "../flags";
import { cloudIdentity, proxyVariables } from "../platforms";
import { REGISTRY_CA, TRUST_FILES, TUF_ROOT_FILE } from "../trustFiles";
import { readers } from "./controllers";
import { filesOf, type MountedFile } from "./mounts";
import type { Controller, Found, Installation } from "./types";

/**
 * Whether both controllers that verify have the very anchors of the stack. What counts is what is in the files: after a
 * rotation a variable may still name a file, and then every signed image would be refused.
 */
export function trustFiles(
  installation: Installation,
  trust: Manifest | undefined,
  { trust: { tuf } }: Pick<Posture, "trust">,
): Found[] {
  if (!trust) return [];
  const data = trust.data as Readonly<Record<string, string>>;
  // The stack's own may not be there yet; its name says what is in it.
  const configMaps = { ...installation.configMaps, [trust.metadata.name]: data };
  const wanted = [...Object.values(TRUST_FILES), REGISTRY_CA].filter(({ file }) => file in data);
  return readers(installation).flatMap((controller) => {
    const files = filesOf(controller.mounts, configMaps);
    const wrong = wanted.flatMap(({ file, variable }) => {
      const value = controller.env[variable];
      if (!value) return [`lacks ${variable}`];
      const isCa = variable === REGISTRY_CA.variable;
      const read = files.filter(({ path }) => (isCa ? value.split(":").includes(folderOf(path)) : path === value));
      if (read.some(({ content }) => same(content, data[file]!))) return [];
      const [other] = read;
      const found = other ? `of ConfigMap ${other.configMap}, which holds other anchors` : "that no ConfigMap brings";
      return [`reads ${value} ${found} (${variable})`];
    });
    if (tuf) wrong.push(...wrongTuf(controller, files, tuf.mirror, data[TUF_ROOT_FILE]!));
    if (wrong.length === 0) return [];
    return [
      {
        finding: F.TrustFiles,
        evidence: `${controller.name} ${wrong.join(", ")}`,
        undoes: "signatures can't be verified by the stack's trust anchors, so signed images are refused too",
        mend: `the Helm values or the patch that image-signing-guard render prints, which mount ConfigMap ${trust.metadata.name}`,
      },
    ];
  });
}

/** The update repository is named by flags. */
function wrongTuf({ args }: Controller, files: readonly MountedFile[], mirror: string, root: string): string[] {
  const found = flagValue(args, "enableTuf") === "true" ? flagValue(args, "tufMirror") : undefined;
  if (found !== mirror) return [`takes anchors of bundles from ${found ?? "the public instance"}, not from ${mirror}`];
  const path = flagValue(args, "tufRoot");
  const file = files.find((one) => one.path === path);
  return file && same(file.content, root) ? [] : ["reads another root of that repository (--tufRoot)"];
}

function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/"));
}

function same(content: string | undefined, wanted: string): boolean {
  return content?.replace(/\s+/g, "") === wanted.replace(/\s+/g, "");
}

/** Whether both can read the registries as the stack says: its Secrets, its cloud identities, its proxy. */
export function registryAccess(installation: Installation, { kyverno }: Posture): Found[] {
  return readers(installation).flatMap((controller) => [
    ...missingSecrets(controller, kyverno.registrySecrets),
    ...missingIdentity(controller, installation.serviceAccounts[controller.serviceAccount], kyverno.registryIdentity),
    ...missingProxy(controller, proxyVariables(kyverno) as unknown as { name: string; value: string }[]),
  ]);
}

function missingSecrets({ name, args }: Controller, wanted: readonly string[]): Found[] {
  const has = (flagValue(args, "imagePullSecrets") ?? "").split(",");
  const lacks = wanted.filter((secret) => !has.includes(secret));
  const mend = `Helm values: existingImagePullSecrets: [${wanted.join(", ")}]`;
  return lacks.length === 0 ? [] : [noAccess(`${name} does not read registries with ${lacks.join(", ")}`, mend)];
}

function missingIdentity(
  { name, serviceAccount }: Controller,
  has: Readonly<Record<string, string>> = {},
  identity: Posture["kyverno"]["registryIdentity"],
): Found[] {
  const wanted = Object.entries(identity ? cloudIdentity(identity).annotations : {});
  const lacks = wanted.filter(([key, value]) => has[key] !== value);
  if (lacks.length === 0) return [];
  const said = lacks.map(([key, value]) => `${key}: ${value}`).join(", ");
  return [
    noAccess(
      `ServiceAccount ${serviceAccount} of ${name} lacks the annotation ${said}`,
      "the Helm values that image-signing-guard render prints (rbac.serviceAccount.annotations)",
    ),
  ];
}

function missingProxy({ name, env }: Controller, wanted: readonly { name: string; value: string }[]): Found[] {
  // Which hosts are spared is theirs to say.
  const lacks = wanted.filter((variable) => variable.name !== "NO_PROXY" && env[variable.name] !== variable.value);
  const mend = "the Helm values that image-signing-guard render prints (extraEnvVars)";
  if (lacks.length === 0) return [];
  return [noAccess(`${name} does not go through the proxy (${lacks.map((one) => one.name).join(", ")})`, mend)];
}

function noAccess(evidence: string, mend: string): Found {
  const undoes = "signatures in private registries can't be read, so signed images are refused too";
  return { finding: F.RegistryAccess, evidence, undoes, mend };
}
