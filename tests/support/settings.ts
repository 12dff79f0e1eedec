import * as path from "node:path";
import { readStackSettings } from "../../cli/settings/stackSettings";
import { type Compiled, compilePosture, policiesOf } from "../../components/compile";
import type { Json, Manifest } from "../../components/kubernetes/manifest";
import type { Posture } from "../../components/posture/types";
import { resolvePosture } from "../../components/resolve";

export const NOW = new Date("2026-06-01T12:00:00Z");
export const GITHUB = { repository: "Ikey168/Modulo", workflow: "docker-build.yml", ref: "refs/heads/main" };
export const SUBJECT = "https://github.com/Ikey168/Modulo/.github/workflows/docker-build.yml@refs/heads/main";
export const MODULO = { name: "modulo", repositories: ["ghcr.io/ikey168/modulo-*"], signers: [{ github: GITHUB }] };

/** The smallest configuration, with changes at the top level. */
export function settings(changes: Record<string, unknown> = {}): Record<string, unknown> {
  return { images: [MODULO], ...changes };
}

/** The smallest configuration with its one image entry changed. */
export function imageSettings(changes: Record<string, unknown>): Record<string, unknown> {
  return settings({ images: [{ ...MODULO, ...changes }] });
}

/** The smallest configuration with one signer. */
export function signerSettings(signer: unknown, changes: Record<string, unknown> = {}): Record<string, unknown> {
  return settings({ images: [{ ...MODULO, signers: [signer] }], ...changes });
}

export function postureOf(raw: unknown): Posture {
  return resolvePosture(raw, { now: NOW }).posture;
}

export function warningsOf(raw: unknown): string[] {
  return resolvePosture(raw, { now: NOW }).warnings;
}

export function compile(raw: unknown): Compiled & { readonly policies: Manifest[] } {
  const compiled = compilePosture(resolvePosture(raw, { now: NOW }));
  const policies = policiesOf(compiled).sort((a, b) => a.metadata.name.localeCompare(b.metadata.name));
  return { ...compiled, policies };
}

export function policyOf(compiled: Compiled, name: string): Manifest {
  const policy = policiesOf(compiled).find((manifest) => manifest.metadata.name === name);
  if (!policy)
    throw new Error(
      `no policy ${name} among ${policiesOf(compiled)
        .map((p) => p.metadata.name)
        .join(", ")}`,
    );
  return policy;
}

export function specOf(policy: Manifest): Json {
  return policy.spec as Json;
}

export function rulesOf(policy: Manifest): Json[] {
  return specOf(policy).rules as Json[];
}

export function ruleOf(policy: Manifest, name: string): Json {
  const rule = rulesOf(policy).find((candidate) => candidate.name === name);
  if (!rule) throw new Error(`no rule ${name} in ${policy.metadata.name}`);
  return rule;
}

/** The first entry under `verifyImages` of a rule. */
export function verificationOf(rule: Json): Json {
  return (rule.verifyImages as Json[])[0]!;
}

const ROOT = path.join(__dirname, "..", "..");

/** What the repository's own stack file says. */
export function stackSettings(stack: "dev" | "prod"): Record<string, unknown> {
  return readStackSettings(stack, ROOT);
}
