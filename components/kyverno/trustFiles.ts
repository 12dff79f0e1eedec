import { createHash } from "node:crypto";
import { TrustRoot } from "../args";
import { MANAGED_BY, type Manifest } from "../kubernetes/manifest";
import { pemOf } from "../posture/pem";
import type { Resolved } from "../posture/types";

/** Where the chart mounts its one extra volume. */
export const TRUST_MOUNT_PATH = "/.sigstore";

/** File in the ConfigMap and the environment variable by which Kyverno's verifier finds it. */
export const TRUST_FILES = {
  fulcio: { file: "fulcio.pem", variable: "SIGSTORE_ROOT_FILE" },
  rekor: { file: "rekor.pub", variable: "SIGSTORE_REKOR_PUBLIC_KEY" },
  ctLog: { file: "ctfe.pub", variable: "SIGSTORE_CT_LOG_PUBLIC_KEY_FILE" },
} as const;

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
  if (kyverno.registryCa) data[REGISTRY_CA.file] = kyverno.registryCa.map((id) => pemOf(materials.pem, id)).join("");
  // Own certificates also stand in the policies; files alone would only repeat them.
  const needed = trust.rekor || trust.ctLogPublicKey || trust.root === TrustRoot.PublicGood || kyverno.registryCa;
  if (!needed) return undefined;
  const hash = createHash("sha256").update(JSON.stringify(data)).digest("hex").slice(0, 8);
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: `sigstore-trust-${hash}`, namespace: kyverno.namespace, labels: { ...MANAGED_BY } },
    data,
  };
}
