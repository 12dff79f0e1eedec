import { SignatureFormat } from "../../args";
import type { Json } from "../../kubernetes/manifest";
import { conditionsToCel } from "../../posture/celConditions";
import type { Attestation, ImageRule, Resolved, Signer } from "../../posture/types";
import { attestor } from "./attestors";

/** What is demanded of an image, and the attestors and statements that the demand names. */
export interface Demand {
  readonly attestors: readonly Json[];
  readonly attestations: readonly Json[];
  /** Over the image `i`. */
  readonly holds: string;
}

/** What cosign states when it signs into a bundle. Without it any statement of the signer's would count as a signature. */
export const SIGNED = "https://sigstore.dev/cosign/sign/v1";

function signatureOf(image: ImageRule, list: string, resolved: Resolved): Demand {
  const attestors = attestorsOf(image.signers, list, image, resolved);
  if (image.format !== SignatureFormat.SigstoreBundle)
    return {
      attestors,
      attestations: [],
      holds: atLeast(image.threshold, attestors, (one) => `verifyImageSignatures(i, [${one}])`),
    };
  const statement = `${list}signature`;
  return {
    attestors,
    attestations: [{ name: statement, intoto: { type: SIGNED } }],
    holds: atLeast(
      image.threshold,
      attestors,
      (one) => `verifyAttestationSignatures(i, attestations.${statement}, [${one}])`,
    ),
  };
}

function statementOf(image: ImageRule, wanted: Attestation, name: string, resolved: Resolved): Demand {
  const attestors = attestorsOf(wanted.signers, name, image, resolved);
  const signed = atLeast(
    wanted.threshold,
    attestors,
    (one) => `verifyAttestationSignatures(i, attestations.${name}, [${one}])`,
  );
  const predicate = `extractPayload(i, attestations.${name}).?predicate`;
  const conditions = wanted.conditions.length > 0 ? conditionsToCel(wanted.conditions, predicate) : "";
  return {
    attestors,
    attestations: [{ name, intoto: { type: wanted.predicateType } }],
    // What can't be translated was refused when the configuration was read.
    holds: conditions === "" ? signed : `(${signed} && (${String(conditions)}))`,
  };
}

function attestorsOf(signers: readonly Signer[], prefix: string, image: ImageRule, resolved: Resolved): Json[] {
  return signers.map((signer, index) => attestor(`${prefix}signer${index}`, signer, image, resolved));
}

/** Each signer by itself: of several Kyverno tells only how many, and two could be the same signature. */
function atLeast(threshold: number, attestors: readonly Json[], count: (attestor: string) => string): string {
  const counts = attestors.map(({ name }) => `${count(`attestors.${String(name)}`)} > 0`);
  if (threshold === 1) return `(${counts.join(" || ")})`;
  if (threshold === counts.length) return `(${counts.join(" && ")})`;
  return `(${counts.map((one) => `(${one} ? 1 : 0)`).join(" + ")} >= ${threshold})`;
}

/** Signatures and statements of an entry, under names that begin with that of its list. */
export function demandsOf(image: ImageRule, list: string, resolved: Resolved): Demand {
  const statements = image.attestations.map((one, position) =>
    statementOf(image, one, `${list}statement${position}`, resolved),
  );
  const demands = [signatureOf(image, list, resolved), ...statements];
  return {
    attestors: demands.flatMap(({ attestors }) => attestors),
    attestations: demands.flatMap(({ attestations }) => attestations),
    holds: demands.map(({ holds }) => holds).join(" && "),
  };
}

/** What is demanded of an entry's images, in names that do not tell which entry it is. */
export function requirementOfEntry(image: ImageRule, resolved: Resolved): object {
  return plainRequirement(demandsOf(image, "entry0", resolved), "entry0");
}

/** The same of a policy as the cluster has it, by the name of the entry's list. */
export function requirementsOfPolicy(spec: Json): Map<string, object> {
  const { attestors = [], attestations = [], variables = [] } = spec as Record<string, readonly Json[]>;
  return new Map(
    variables.flatMap(({ name, expression }) => {
      const [, index] = /^unsigned(\d+)$/.exec(String(name)) ?? [];
      if (index === undefined) return [];
      const list = `entry${index}`;
      const own = (one: Json) => new RegExp(`^${list}(?!\\d)`).test(String(one.name));
      const holds = /\.filter\(i, !\((.*)\)\)$/s.exec(String(expression))?.[1] ?? "";
      const demand = { attestors: attestors.filter(own), attestations: attestations.filter(own), holds };
      return [[list, plainRequirement(demand, list)] as const];
    }),
  );
}

function plainRequirement({ attestors, attestations, holds }: Demand, list: string): object {
  const plain = JSON.stringify({ attestors, attestations, holds }).replace(
    new RegExp(`\\b${list}(?!\\d)`, "g"),
    "entry",
  );
  return JSON.parse(plain) as object;
}
