import { entryOf, entryRule, plainRule } from "../../../components/policies/names";
import { causesOf, chiefCause } from "../../refusals/causes";
import { printableLines } from "../../terminal/printable";
import { type Objection, objections } from "./objections";

export interface Explained {
  /** Absent where the table does not know the message. */
  readonly id?: string;
  readonly policy?: string;
  readonly rule?: string;
  readonly image?: string;
  /** Who must have signed, and who has. */
  readonly expected?: string;
  readonly received?: string;
  readonly message: string;
  readonly meaning: string;
  readonly todo: string;
  readonly commands: readonly string[];
}

export interface Explanation {
  readonly version: 1;
  /** KIND/NAMESPACE/NAME of what was refused. */
  readonly resource?: string;
  readonly webhook?: string;
  readonly findings: readonly Explained[];
  readonly exitCode: 0 | 1;
}

/** Takes the text of a refusal apart, as kubectl, an event or a workload's status shows it. */
export function explain(text: string, stack?: string): Explanation {
  const [, resource] = /resource (\S+) was blocked due to/.exec(text) ?? [];
  const [, webhook] = /webhook "([^"]+)"/.exec(text) ?? [];
  const listed = objections(text);
  const spoken = listed.filter(({ message }) => !isSkipped(message));
  // Looked up for each of them, so kept by place; of several for one place the first counts.
  const byPlace = new Map([...listed].reverse().map((one) => [placeOf(one.policy, one.rule), one]));
  const context = { stack, namespace: resource?.split("/")[1] };
  const explained =
    spoken.length > 0
      ? spoken.map((objection) => explainObjection(objection, byPlace, context))
      : [explainMessage(withoutControls(text), context)];
  const known = explained.some(({ id }) => id !== undefined);
  return {
    version: 1,
    ...(resource ? { resource } : {}),
    ...(webhook ? { webhook } : {}),
    findings: explained,
    exitCode: known ? 0 : 1,
  };
}

/** Rules that did not run are listed too; only that of a bypass that has ended says something about the refusal. */
function isSkipped(message: string): boolean {
  return message.startsWith("preconditions not met") && !message.includes("the bypass does not run");
}

interface Context {
  readonly stack?: string;
  readonly namespace?: string;
  readonly policy?: string;
}

const placeOf = (policy: string, rule: string): string => `${policy}: ${plainRule(rule)}`;

function explainObjection(objection: Objection, listed: ReadonlyMap<string, Objection>, context: Context): Explained {
  const { policy, rule } = objection;
  // The guard lists its advice beside each refusal, as a rule that is never evaluated.
  const entry = entryOf(rule);
  const advice = entry === undefined ? undefined : listed.get(placeOf(policy, entryRule("advice", entry)));
  const told = oneLine(advice?.message ?? objection.message);
  const expected =
    between("must be signed by ", ". Sign the image", told) ?? between("must be signed by ", ". Why it does", told);
  return {
    policy,
    rule,
    ...(expected ? { expected } : {}),
    ...explainMessage(objection.message, { ...context, policy }),
  };
}

function explainMessage(text: string, context: Context): Explained {
  const causes = causesOf(text);
  const { known } = chiefCause(causes);
  const message = oneLine(text);
  const image = imageIn(message);
  const [, expected, received] = /expected (\S+?)(?: for key \S+)?, received (\S+)/.exec(message) ?? [];
  const told: Record<string, string | undefined> = {
    IMAGE: image,
    NAMESPACE: context.namespace,
    STACK: context.stack,
    POLICY: context.policy,
    REGISTRY: image?.split("/")[0],
  };
  const fill = (command: string) =>
    command.replace(/\b(?:IMAGE|NAMESPACE|STACK|POLICY|REGISTRY)\b/g, (word) =>
      // The text may be anybody's: what a shell would do something with stays a word to be filled in.
      SHELL_SAFE.test(told[word] ?? "") ? told[word]! : word,
    );
  return {
    ...(known ? { id: known.id } : {}),
    ...(image ? { image } : {}),
    // An identity that differs is told by the message itself, in full.
    ...(known?.id.endsWith("-mismatch") && expected && received ? { expected, received } : {}),
    message: message.replace(/^preconditions not met; /, ""),
    meaning: known?.meaning ?? UNKNOWN_MEANING,
    todo: known?.todo ?? "look at the policy and rule that it names, and at Kyverno's log",
    commands: (known?.commands ?? UNKNOWN_COMMANDS).map(fill),
  };
}

const UNKNOWN_MEANING =
  "cannot tell: this message is not in the table of docs/troubleshooting.md, and says nothing sure about the image";
const UNKNOWN_COMMANDS = ["kubectl -n kyverno logs deployment/kyverno-admission-controller --since=10m"];

const SHELL_SAFE = /^[A-Za-z0-9][A-Za-z0-9._:@/-]*$/;

const IMAGE_PLACES = [
  /no signature that counts for image (\S+?)[,:]? /,
  /failed to verify image (\S+?):? *(?=\.attest|\s|$)/,
  /no signer is configured for (\S+?)\.?(?=[\s,]|$)/,
  /(?:missing digest for|unverified image) (\S+)/,
  // From the beginning of a word only, or each of its characters would be one.
  /(?<!\S)(\S+) is another spelling of an image/,
];

function imageIn(message: string): string | undefined {
  for (const place of IMAGE_PLACES) {
    const [, image] = place.exec(message) ?? [];
    if (image) return image.replace(/[:.,]$/, "");
  }
  return undefined;
}

function between(begin: string, end: string, text: string): string | undefined {
  const from = text.indexOf(begin);
  const to = from === -1 ? -1 : text.indexOf(end, from + begin.length);
  return to === -1 ? undefined : text.slice(from + begin.length, to);
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, " ").trim();
}

export function describeExplanation({ resource, webhook, findings }: Explanation): string {
  const head = [resource ? `refused: ${resource}` : "", webhook ? `webhook: ${webhook}` : ""].filter(Boolean);
  const blocks = findings.map((one) =>
    [
      one.policy ? `policy:   ${[one.policy, one.rule && `rule ${one.rule}`].filter(Boolean).join(", ")}` : "",
      one.image ? `image:    ${one.image}` : "",
      one.expected ? `expected: ${one.expected}` : "",
      one.received ? `received: ${one.received}` : "",
      `message:  ${one.message}`,
      `means:    ${plainText(one.meaning)}`,
      `do:       ${plainText(one.todo)}`,
      ...one.commands.map((command) => `          $ ${command}`),
    ]
      .filter(Boolean)
      .map(printableLines)
      .join("\n"),
  );
  return [...(head.length > 0 ? [head.map(printableLines).join("\n")] : []), ...blocks].join("\n\n");
}

/** Links of the documentation as a terminal shows them. */
function plainText(text: string): string {
  return text.replace(/\[([^\]]+)\]\(([^)]+)\)/g, "$1 (docs/$2)");
}

/** Colours and other sequences of a terminal would stand before what is looked for. */
function withoutControls(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is removed.
  return text.replace(/\u001b\[[0-9;?]*[A-Za-z]/g, "").replace(/[^\P{C}\n\r\t]/gu, " ");
}
