import type { Manifest } from "../../kubernetes/manifest";
import { enforcedScopes } from "../../posture/namespaces";
import type { Posture } from "../../posture/types";
import { findingsOf, unusable } from "./findings";
import type { Found, Installation } from "./types";

/** What follows from an installation, in words. */
export interface Judged {
  /** Nothing is made while there is one. */
  readonly refused: readonly string[];
  readonly warned: readonly string[];
}

/**
 * What would undo an enforcing stack refuses, unless it is acknowledged with a reason; a stack that audits refuses
 * nothing, so for it everything is a warning.
 */
export function judgeInstallation(installation: Installation, posture: Posture, trust?: Manifest): Judged {
  const none = unusable(installation, posture);
  if (none) return { refused: [`${none.found}; ${none.fix}`], warned: [] };
  const findings = weigh(installation, posture, trust);
  const over = (posture.kyverno.acknowledged ?? []).filter(
    (one) => !findings.some(({ finding }) => finding === one.finding),
  );
  return {
    refused: findings.filter(({ isRefused }) => isRefused).map(refusal),
    warned: [
      ...findings.filter(({ isRefused }) => !isRefused).map(warning),
      ...over.map(({ finding }) => `kyverno.acknowledged: ${finding} is not so (any more): remove it`),
    ],
  };
}

export interface Weighed extends Found {
  readonly isRefused: boolean;
  /** Why it is lived with. */
  readonly reason?: string;
}

export function weigh(installation: Installation, posture: Posture, trust?: Manifest): Weighed[] {
  const enforces = enforcedScopes(posture).length > 0;
  return findingsOf(installation, posture, trust).map((found) => {
    const reason = posture.kyverno.acknowledged?.find((one) => one.finding === found.finding)?.reason;
    const isRefused = enforces && found.finding !== undefined && reason === undefined;
    return { ...found, isRefused, ...(reason === undefined ? {} : { reason }) };
  });
}

function refusal({ finding, evidence, undoes, mend }: Found): string {
  return `${evidence}: ${undoes}; ${mend}; or live with it: kyverno.acknowledged: [{finding: ${finding}, reason: ...}]`;
}

function warning({ evidence, undoes, mend, reason }: Weighed): string {
  return reason === undefined ? `${evidence}: ${undoes}; ${mend}` : `${evidence}: ${undoes} (acknowledged: ${reason})`;
}
