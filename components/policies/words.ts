import { describeSigner } from "../posture/signers";
import type { Bypass, ImageRule } from "../posture/types";
import { UNTIL_ANNOTATION } from "./bypassTerms";
import { someOf } from "./someOf";

/** What refusals say in either form of the policies; `doctor explain` and the documentation know them by these words. */

/** Who must have signed an entry's images. */
export function expectedSigners({ signers, threshold }: Pick<ImageRule, "signers" | "threshold">): string {
  const described = signers.map(describeSigner);
  if (described.length === 1) return described[0]!;
  return `${threshold === 1 ? "one of" : `${threshold} of`} ${described.join("; ")}`;
}

/** Behind the images that no signer covers. */
export function coverAdvice(repositories: readonly string[], runbook: string): string {
  return [
    `Images here must come from ${someOf(repositories)} and be signed.`,
    "Use such an image, or let the platform team add the repository to images (with its signers) or to uncovered.exempt.",
    `In an emergency: ${runbook}`,
  ].join(" ");
}

/** Behind an image that is spelled so that no entry seems to cover it. */
export const SPELLING_ADVICE = [
  "is another spelling of an image that must be signed, or a bare image ID.",
  "Write the registry in lower case, without a default port, and Docker Hub as docker.io.",
].join(" ");

/** Behind the names of image volumes. */
export const VOLUME_ADVICE = "Put their content into a signed image.";

/** Where another webhook changed an image. */
export const CHANGED_SINCE =
  "it was changed after Kyverno had verified it. Deploy again; if it stays, another webhook changes it.";

/** Why an annotated workload is judged all the same. */
export function bypassDoesNotRun({ maxHours }: Bypass): string {
  return `the bypass does not run: ${UNTIL_ANNOTATION} must be a time with zone that lies ahead, at most ${maxHours} hours from now, such as 2026-12-01T18:00:00Z.`;
}
