import { createHash } from "node:crypto";
import { TrustRoot } from "../args";
import { type Json, MANAGED_BY, type Manifest } from "../kubernetes/manifest";
import { TRUST_VOLUME } from "../posture/kyvernoLines";
import { ADMISSION_DEPLOYMENT, REPORTS_DEPLOYMENT } from "../posture/kyvernoWebhooks";
import { pemOf } from "../posture/pem";
import type { Resolved } from "../posture/types";

/** Where a chart that takes no more volumes mounts its one. */
export const TRUST_MOUNT_PATH = "/.sigstore";

/** File in the ConfigMap and the environment variable by which Kyverno's verifier finds it. */
export const TRUST_FILES = {
  fulcio: { file: "fulcio.pem", variable: "SIGSTORE_ROOT_FILE" },
  rekor: { file: "rekor.pub", variable: "SIGSTORE_REKOR_PUBLIC_KEY" },
  ctLog: { file: "ctfe.pub", variable: "SIGSTORE_CT_LOG_PUBLIC_KEY_FILE" },
} as const;

/** The root of the update repository for bundles, named by a flag. */
export const TUF_ROOT_FILE = "tuf-root.json";

/**
 * Authorities of registries, in a folder of their own: Go takes every file of such a folder for an authority of TLS, and
 * Fulcio is none.
 */
export const REGISTRY_CA = { file: "registry-ca.pem", folder: "registry-ca", variable: "SSL_CERT_DIR" } as const;
/** Where Kyverno's image has the public ones. */
export const PUBLIC_CA_FOLDER = "/etc/ssl/certs";

/**
 * The trust anchors as files, since a policy can't carry the keys of the logs. The name carries a hash of
 * the content: Kyverno reads the files once, so other content must restart it.
 */
export function trustFiles({ posture, materials }: Resolved): Manifest | undefined {
  const { trust, kyverno } = posture;
  const data: Record<string, string> = {};
  if (trust.fulcioCertificates.length > 0) {
    data[TRUST_FILES.fulcio.file] = trust.fulcioCertificates.map((id) => pemOf(materials.pem, id)).join("");
  }
  if (trust.rekor) data[TRUST_FILES.rekor.file] = pemOf(materials.pem, trust.rekor.publicKey);
  if (trust.ctLogPublicKey) data[TRUST_FILES.ctLog.file] = pemOf(materials.pem, trust.ctLogPublicKey);
  if (trust.tuf) data[TUF_ROOT_FILE] = pemOf(materials.pem, trust.tuf.root);
  if (kyverno.registryCa) data[REGISTRY_CA.file] = kyverno.registryCa.map((id) => pemOf(materials.pem, id)).join("");
  // Own certificates also stand in the policies; files alone would only repeat them.
  const needed =
    trust.rekor || trust.ctLogPublicKey || trust.root === TrustRoot.PublicGood || trust.tuf || kyverno.registryCa;
  if (!needed) return undefined;
  const hash = createHash("sha256").update(JSON.stringify(data)).digest("hex").slice(0, 8);
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: `sigstore-trust-${hash}`, namespace: kyverno.namespace, labels: { ...MANAGED_BY } },
    data,
  };
}

/** The ConfigMap as the source of a volume. */
export function trustVolume({ metadata, data }: Manifest): Json {
  const keys = Object.keys(data as object);
  const items = keys.map((key) => ({ key, path: key === REGISTRY_CA.file ? `${REGISTRY_CA.folder}/${key}` : key }));
  return { name: metadata.name, ...(keys.includes(REGISTRY_CA.file) ? { items } : {}) };
}

/** The environment variables that name the files of a volume mounted at a path. */
export function trustVariables({ data }: Manifest, mountPath: string): Json[] {
  const has = (file: string) => file in (data as object);
  return [
    ...Object.values(TRUST_FILES)
      .filter(({ file }) => has(file))
      .map(({ file, variable }) => ({ name: variable, value: `${mountPath}/${file}` })),
    ...(has(REGISTRY_CA.file)
      ? [{ name: REGISTRY_CA.variable, value: `${PUBLIC_CA_FOLDER}:${mountPath}/${REGISTRY_CA.folder}` }]
      : []),
  ];
}

/**
 * The same for a Kyverno that somebody else runs, as parts of its two Deployments that verify: for server-side apply or
 * as a patch of Kustomize. The chart's own volume is left alone, so that Helm and this never write the same field.
 */
export function trustPatch(trust: Manifest): Json[] {
  const volume = TRUST_VOLUME;
  const mountPath = `/${volume}`;
  return [
    { deployment: ADMISSION_DEPLOYMENT, container: "kyverno" },
    { deployment: REPORTS_DEPLOYMENT, container: "controller" },
  ].map(({ deployment, container }) => ({
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: deployment, namespace: trust.metadata.namespace as string },
    spec: {
      template: {
        spec: {
          containers: [
            {
              name: container,
              env: trustVariables(trust, mountPath),
              volumeMounts: [{ name: volume, mountPath, readOnly: true }],
            },
          ],
          // Without the stack the pods must start all the same.
          volumes: [{ name: volume, configMap: { ...trustVolume(trust), optional: true } }],
        },
      },
    },
  }));
}
