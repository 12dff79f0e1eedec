import type { KubeObject } from "../../components/kubernetes/resources";
import { VERDICTS } from "../../components/policies/cel/judges";
import { ImageNameError, parseReference, policyText } from "../images/reference";
import { causesOf, type Verdict, verdictOf } from "../refusals/causes";

/** A row of a report, as far as it is looked at. */
export interface Row {
  readonly policy: string;
  readonly rule: string;
  readonly result: "pass" | "fail" | "warn" | "error" | "skip";
  readonly message: string;
  readonly at: number;
  /** Only of a row that was read out of another's properties. */
  readonly isPart?: true;
}

/** The rows of a BackgroundScanReport or a PolicyReport. */
export function rowsOf(report: KubeObject): Row[] {
  const { results } = ((report.kind === "BackgroundScanReport" || report.spec !== undefined ? report.spec : report) ??
    {}) as {
    results?: readonly (Partial<Row> & {
      timestamp?: { seconds?: number };
      properties?: Readonly<Record<string, string>>;
    })[];
  };
  return (results ?? []).flatMap(
    ({ policy = "", rule = "", result = "error", message = "", timestamp, properties = {} }) => {
      const row = { policy, rule, result, message, at: timestamp?.seconds ?? 0 };
      return [row, ...verdictRows(row, properties)];
    },
  );
}

/** An ImageValidatingPolicy has one row for each object; what it found of each image stands in the row's properties. */
function verdictRows(row: Row, properties: Readonly<Record<string, string>>): Row[] {
  return Object.entries(properties).flatMap(([key, images]) => {
    const [, rule, verdict] = VERDICT_KEY.exec(key) ?? [];
    if (rule === undefined) return [];
    const [result, says] =
      verdict === VERDICTS.signed
        ? (["pass", (image: string) => `verified image signatures for ${image}`] as const)
        : (["fail", (image: string) => `${NOT_COUNTED} ${image}`] as const);
    return images
      .split(" ")
      .filter(Boolean)
      .map((image) => ({ ...row, rule, result, message: says(plain(image)), isPart: true }));
  });
}

const VERDICT_KEY = new RegExp(`^(entry\\d+)(${Object.values(VERDICTS).join("|")})$`);
const NOT_COUNTED = "no signature that counts for image";

/**
 * Whether a row is about a policy as it is now; one that has changed since is scanned again. Kyverno 1.10 labels its reports
 * with the versions of policies; 1.19, which has a report for each object, says only when each row was found.
 */
export function isCurrent(report: KubeObject, row: Row, policy: PolicyVersion): boolean {
  const version = report.metadata?.labels?.[`cpol.kyverno.io/${policy.name}`];
  if (version !== undefined) return version === policy.resourceVersion;
  return report.scope !== undefined && row.at > policy.changedAt;
}

/** When a policy became as it is. */
export interface PolicyVersion {
  readonly name: string;
  readonly resourceVersion: string;
  /** Seconds since 1970; infinite where the cluster does not say. */
  readonly changedAt: number;
}

/** What a row says, where it names images. Rows that name none may be about any image of the object. */
export type Saying =
  | {
      readonly about: "signature";
      readonly image: string;
      readonly passes: boolean | undefined;
      readonly isSure?: false;
      readonly why: string;
    }
  | { readonly about: "signer"; readonly images: string[] };

const VERIFIED = /^verified image (?:signatures|attestations) for (\S+)$/;
const UNCOUNTED = new RegExp(`^${NOT_COUNTED} (\\S+)$`);
const FAILED = /^failed to verify image (\S+): ([\s\S]*)$/;
const NO_SIGNER = /no signer is configured for ((?:\S+, )*\S+)/;

/**
 * Kyverno 1.10 writes one row for each image that it verified, and further ones from its second look, which only reads
 * an annotation that anybody can write ("image verified", "unverified image"). Those prove nothing and are left out.
 */
export function sayingOf({ result, message }: Row): Saying | undefined {
  if (result === "skip") return undefined;
  const text = message.trim();
  const [, verified] = VERIFIED.exec(text) ?? [];
  if (verified && result === "pass") return { about: "signature", image: verified, passes: true, why: "" };
  // Kyverno counts signatures; that one could not be read looks like that there is none.
  const [, uncounted] = UNCOUNTED.exec(text) ?? [];
  if (uncounted) return { about: "signature", image: uncounted, passes: false, isSure: false, why: text };
  const [, failed, why = ""] = FAILED.exec(text) ?? [];
  if (failed) {
    // Kyverno 1.10 calls a registry that refuses or is silent a failure, as it does a missing signature.
    const known = result !== "error" && verdictOf(causesOf(text)) !== undefined;
    return { about: "signature", image: failed, passes: known ? false : undefined, why };
  }
  const [, unsigned] = result === "pass" ? [] : (NO_SIGNER.exec(text) ?? []);
  // Where a sentence follows, the last name has a full stop.
  if (unsigned) return { about: "signer", images: unsigned.split(", ").map((name) => plain(name.replace(/\.$/, ""))) };
  return undefined;
}

/** The reason behind a failure, as far as Kyverno's text tells. */
export function rowReason(why: string): Verdict {
  return verdictOf(causesOf(`failed to verify image it: ${why}`)) ?? "notVerified";
}

/** Kyverno's text on one line, without the place in the policy. */
export const gist = (text: string): string =>
  text
    .replace(/^\.?(?:[a-z]+\[\d+\]\.?)*(?:keyless|keys|certificates)?: /i, "")
    .replace(/\s+/g, " ")
    .replace(/:? *$/, "")
    .slice(0, 300);

/** The image as verifying rules write it. */
function plain(image: string): string {
  try {
    return policyText(parseReference(image));
  } catch (error) {
    if (error instanceof ImageNameError) return image;
    throw error;
  }
}
