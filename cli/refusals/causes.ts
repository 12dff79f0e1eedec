import table from "./refusals.json";

/**
 * Where in a refusal a cause stands. The same words mean something else in each place: `x509: certificate signed by
 * unknown authority` is about the registry after a request, about the signer in the list of signatures.
 */
export type Place =
  /** The API server could not ask Kyverno, or another webhook. */
  | "webhook"
  | "otherWebhook"
  /** A rule's own message. */
  | "rule"
  /** While the verifier is set up: the image's name, keys, roots. */
  | "reference"
  | "configuration"
  | "secret"
  | "kms"
  | "vault"
  | "trust"
  /** The anchors of bundles, from an update repository. */
  | "updates"
  /** While something is read. */
  | "registry"
  | "token"
  | "log"
  /** One signature or statement of the list, or the identity in it. */
  | "signature"
  | "attestation";

/** What a cause says about the image's signatures; none where it says nothing. */
export type Verdict = "unsigned" | "wrongSigner" | "wrongCA" | "notVerified";

/** A message of Kyverno 1.10.7 or 1.19.1, its verifiers, the API server or the guard; the first that fits in its place counts. */
export interface KnownRefusal {
  readonly id: string;
  readonly in: readonly Place[];
  /** Regular expressions that must all be found. */
  readonly all: readonly string[];
  readonly verdict?: Verdict;
  /** As the documentation shows it. */
  readonly shown: string;
  readonly meaning: string;
  readonly todo: string;
  /** With IMAGE, NAMESPACE, STACK, POLICY, REGISTRY for what the message or the caller tells. */
  readonly commands: readonly string[];
}

export const KNOWN_REFUSALS = table as readonly KnownRefusal[];

const COMPILED = KNOWN_REFUSALS.map((known) => ({ known, all: known.all.map((pattern) => new RegExp(pattern, "s")) }));

export interface Cause {
  readonly place: Place;
  readonly text: string;
  /** Absent where the table does not know the text in this place. */
  readonly known?: KnownRefusal;
}

/** The causes in a message, in its order: one for each attestor that failed, and for each signature of it. */
export function causesOf(message: string): Cause[] {
  // On one line, what follows is another rule's.
  const text = message.replace(/ [a-z0-9-]+: '?preconditions not met.*$/s, "").trim();
  const [, webhook, answer] = /failed calling webhook "([^"]*)":? ?(.*)$/s.exec(text) ?? [];
  if (answer !== undefined) return [cause(/kyverno/.test(webhook!) ? "webhook" : "otherWebhook", answer)];
  const [, why] = /failed to verify image \S+: *(.*)$/s.exec(text) ?? [];
  if (why !== undefined) return attestorsOf(why).flatMap((one) => stepInto("registry", one));
  const rule = text
    .replace(/^.*?admission webhook "[^"]*" denied the request: */s, "")
    .replace(/^(?:Resource: \S+, Kind: \w+, Errors: \[)?Policy \S+?(?: failed| error)?: /, "")
    .replace(PATH, "");
  return stepInto("rule", rule);
}

/** `.attestors[0].entries[1].keyless: `, and what Kyverno puts before a key of its own set of attestors. */
const PATH = /^(?:\.[A-Za-z]+(?:\[\d+\])?)+: */;

/** Kyverno joins the errors of several attestors (go.uber.org/multierr); each begins with its path. */
function attestorsOf(text: string): string[] {
  return text.split(/; (?=\.attestors\[\d+\])/).map((one) => one.replace(PATH, ""));
}

interface Step {
  readonly from?: readonly Place[];
  /** Found at the beginning; what it matches is taken off. */
  readonly opens: RegExp;
  readonly to?: Place;
  /** What follows is not stepped into: its words mean something else there. */
  readonly ends?: true;
}

/** What the programs write before a cause, and where that leads. Sources: tests/unit/cli/doctor/causes.ts. */
const STEPS: readonly Step[] = [
  { opens: /^failed to update digest: /, to: "registry" },
  { opens: /^failed to load context: / },
  { opens: /^failed to evaluate policy: (?:failed to get image data: )?/ },
  { opens: /^failed to fetch image (?:reference|descriptor): \S+, error: /, to: "registry" },
  // Kyverno 1.13 says so before the request, whatever the registry calls it.
  { opens: /^image tag not found: /, to: "registry" },
  { opens: /^failed to load (?:Rekor|CT ?[Ll]og) public keys: /, to: "trust" },
  // Of bundles.
  { opens: /^failed to fetch bundles: \S+: / },
  { opens: /^failed to fetch referrer (?:image|layer): / },
  { opens: /^failed to get trusted material: \S+: (?!failed to load public key: )/, to: "updates", ends: true },
  { opens: /^failed to get trusted material: \S+: failed to load public key: /, to: "configuration" },
  { opens: /^failed to (?:build policy|get verify bundles): \S+: /, to: "configuration" },
  // Of Notation.
  { opens: /^failed to verify \S+@sha256:[0-9a-f]+: / },
  { opens: /^unable to retrieve digital signature with digest .*? from the Repository, error : /, to: "registry" },
  { opens: /^failed to verify signature with digest \S+, / },
  { opens: /^authenticity verification failed with error : / },
  { opens: /^(?=failed to parse image\b)/, to: "reference" },
  { opens: /^failed to load public key from k8s:\S*: /, to: "secret" },
  { opens: /^failed to load public key from (?:aws|gcp|azure)kms:\S*: /, to: "kms" },
  { opens: /^failed to load public key from hashivault:\S*: /, to: "vault" },
  { opens: /^failed to load public key from PEM: /, to: "configuration" },
  { opens: /^(?=failed to (?:load(?! context\b)|parse signature repository|initialize roots)\b)/, to: "configuration" },
  { opens: /^constructing client options: /, to: "configuration" },
  { opens: /^failed to create Rekor client from URL \S+: /, to: "log" },
  { opens: /^searching log query: /, to: "log" },
  { opens: /^kms get: / },
  { opens: /^(?:unable to verify bundle|error verifying bundle|verifying bundle): / },
  { opens: /^cert verification failed: / },
  { opens: /^failed to get roots from fulcio: /, to: "trust" },
  { opens: /^(?:retrieving rekor public key|unable to fetch Rekor public keys|initializing tuf): /, to: "trust" },
  { opens: /^no valid tlog entries found (?=unable to fetch Rekor public keys)/ },
  {
    opens: /^(?=updating local metadata and targets|getting trusted (?:meta|root)|error updating to TUF)/,
    to: "trust",
  },
  {
    opens: /^(?=unable to initialize client, local cache|error reading alternate |none of the (?:Rekor|CTFE) )/,
    to: "trust",
  },
  // The key of a signature is asked for when the first signature is looked at.
  { from: ["signature", "attestation"], opens: /^(?=Error making API request)/, to: "vault" },
  { from: ["signature", "attestation"], opens: /^(?=could not read data from transit key path)/, to: "vault" },
  {
    from: ["kms"],
    opens: /^(?=VAULT_|could not read data from transit|Error making API request|read \.vault-token)/,
    to: "vault",
  },
  {
    from: ["signature", "attestation"],
    opens:
      /^(?:getting public key|retrieving PublicKey from cache|getting hash func|getting key metadata|public key|transient error getting info from KMS|failed to verify for fixed version|loading AWS config|looking up key): /,
    to: "kms",
  },
  {
    from: ["signature", "attestation"],
    opens: /^(?=operation error |rpc error: |keyvault\.|azure\.|google: |PERMISSION_DENIED: Permission 'cloudkms)/,
    to: "kms",
  },
];

/** `Get "https://host/path": ` (oras: `GET "..."`), `GET https://host/path: `, and `... giving up after 4 attempt(s): `. */
const REQUEST =
  /^(?:(?:Get|Head|Post|Put|Patch|GET|HEAD) "([^"]*)"|(?:GET|HEAD|POST|PUT|PATCH) (https?:\S+?))(?: giving up after \d+ attempt\(s\))?: +/;

const LISTS: readonly { opens: RegExp; place: Place; between: RegExp }[] = [
  // The verifier writes a line for each signature, from the second one with a space before it.
  { opens: /^no matching signatures: */, place: "signature", between: /\r?\n (?=\S)/ },
  { opens: /^no matching attestations: */, place: "attestation", between: /\r?\n (?=\S)/ },
  // Notation, on Kyverno 1.19.
  {
    opens: /^signature verification failed\s+(?=failed to verify signature with digest )/,
    place: "signature",
    between: /\s+(?=failed to verify signature with digest )/,
  },
];

function stepInto(start: Place, begin: string): Cause[] {
  let [place, text] = [start, begin];
  // Each turn takes something off or ends.
  for (;;) {
    const list = LISTS.find(({ opens }) => opens.test(text));
    if (list && (place === "registry" || place === "rule")) {
      const lines = text.replace(list.opens, "");
      if (lines.trim() === "") return [cause(list.place, "")];
      return lines.split(list.between).flatMap((one) => stepInto(list.place, one.trim()));
    }
    const [whole, quoted, plain] = REQUEST.exec(text) ?? [];
    if (whole) {
      place = asked(place, quoted ?? plain ?? "");
      text = text.slice(whole.length);
      continue;
    }
    const step = STEPS.find(({ from, opens, to }) => {
      const [taken] = opens.exec(text) ?? [];
      return taken !== undefined && (!from || from.includes(place)) && (taken !== "" || (to && to !== place));
    });
    if (!step) return [cause(place, text)];
    place = step.to ?? place;
    text = text.replace(step.opens, "");
    if (step.ends) return [cause(place, text)];
  }
}

/** Behind a request stands what its server has to do with it. */
function asked(place: Place, url: string): Place {
  if ((place === "kms" || place === "signature") && /^https?:\/\/[^/]+\/v1\/.+\/keys\/[^/?]+$/.test(url))
    return "vault";
  if (place !== "rule" && place !== "registry" && place !== "signature" && place !== "attestation") return place;
  if (/^https?:\/\/[^/]+\/v2(?:\/|$)/.test(url)) return "registry";
  if (/\/api\/v1\/log\b/.test(url)) return "log";
  return /[?&](?:scope|service)=|\/(?:oauth2\/)?(?:token|exchange|auth)\b/.test(url) ? "token" : "registry";
}

function cause(place: Place, text: string): Cause {
  const line = text.replace(/\s+/g, " ").trim();
  const known = COMPILED.find(
    ({ known, all }) => known.in.includes(place) && all.every((one) => one.test(line)),
  )?.known;
  return { place, text: line, ...(known ? { known } : {}) };
}

/** Whether the causes say, together, that the signatures don't do; undefined where one of them can't tell. */
export function verdictOf(causes: readonly Cause[]): Verdict | undefined {
  const verdicts = causes.map(({ known }) => known?.verdict);
  if (verdicts.length === 0 || verdicts.includes(undefined)) return undefined;
  return (["wrongSigner", "wrongCA", "notVerified", "unsigned"] as const).find((verdict) => verdicts.includes(verdict));
}

/** The cause to tell a person: one that hides the others' answer, before one that is an answer. */
export function chiefCause(causes: readonly Cause[]): Cause {
  const trouble = causes.find(({ known }) => known && !known.verdict);
  const unknown = causes.find(({ known }) => !known);
  const verdict = verdictOf(causes);
  return trouble ?? unknown ?? causes.find(({ known }) => known?.verdict === verdict) ?? causes[0]!;
}
