import { checkImages } from "../../cli/check/run";
import type { PublishedImage } from "./images";
import type { Place } from "./source";

/** Reasons of the check that a mirror may have: what people copy from registry to registry often lacks its signatures. */
const LACKING = ["unsigned", "unreadableFormat"];

export const settingsFor = (repository: string, signer: object): Record<string, unknown> => ({
  mode: "enforce",
  images: [{ name: "program", repositories: [repository], signers: [signer] }],
});

/**
 * Who signed what was found, in words for the log. Judged by the product's own check, as if the program's image were to run in
 * production.
 *
 * @throws if somebody else signed it, or nobody where somebody must have
 */
export async function assertSigned({ signer }: PublishedImage, place: Place, digest: string): Promise<string> {
  if (signer === undefined) return "its project signs no images";
  const name = `${place.host}/${place.repository}`;
  const settings = settingsFor(name, signer);
  const { images: reports } = await checkImages([`${name}@${digest}`], "programs", settings, ["apps"]);
  const { passes, reason, detail } = reports[0]!.judgements[0]!;
  if (passes === true) return `signed by ${reports[0]!.signatures[0]?.subject ?? "its project"}`;
  if (place.isMirror && LACKING.includes(reason)) return "not signed there";
  throw new Error(`${name}@${digest} is not used: ${reason}${detail ? `, ${detail}` : ""}`);
}
