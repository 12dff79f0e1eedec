import * as path from "node:path";
import { readStackSettings } from "../../cli/settings/stackSettings";
import { KYVERNO_LINES } from "../../components/posture/kyvernoLines";
import type { KyvernoSource } from "../kyvernoSource";
import { kyvernoOfForm, trustOfForm } from "../policyForm";
import type { Sigstore } from "../sigstore";

export type StackName = "dev" | "prod";
export const stackNames: readonly StackName[] = ["dev", "prod"];

/** The project's folder, where the stacks' files are. */
export const projectFolder = path.join(__dirname, "..", "..");

export const localTrust = (sigstore: Sigstore) => ({
  root: "custom",
  fulcioCertificates: sigstore.fulcioRoots,
  rekor: { url: "https://rekor.sigstore.dev", publicKey: sigstore.rekorPublicKey },
  ctLogPublicKey: sigstore.ctLogPublicKey,
  ...trustOfForm(sigstore),
});

/** Where this machine differs from a real cluster: one replica, as it has few cores. */
export const localKyverno = (kyverno: KyvernoSource) => ({
  target: targetOf(kyverno.version),
  ...kyvernoOfForm(),
  chart: { path: kyverno.chart },
  replicas: 1,
});

/** The settings of Pulumi.<stack>.yaml with the local trust anchors and the local Kyverno. */
export function localSettings(stack: StackName, sigstore: Sigstore, kyverno: KyvernoSource): Record<string, unknown> {
  const settings = readStackSettings(stack, projectFolder);
  return {
    ...settings,
    trust: localTrust(sigstore),
    kyverno: { ...(settings.kyverno as object | undefined), ...localKyverno(kyverno) },
  };
}

/** What `localSettings` changes, for the person who reads along. */
export const localChanges =
  "those of the stack files, but trust: the local Sigstore stand-in; kyverno: the local chart, one replica";

function targetOf(version: string): string {
  const line = version.split(".").slice(0, 2).join(".");
  if (line in KYVERNO_LINES) return line;
  throw new Error(`Kyverno ${version} is no line that policies exist for; use one of ${Object.keys(KYVERNO_LINES)}`);
}
