import type { ProblemList } from "../problems";
import type { SignerConfig } from "../schema";
import { checkWildcards } from "./images";
import type { KeylessSigner, Signer } from "./types";

export const GITHUB_ISSUER = "https://token.actions.githubusercontent.com";

/**
 * The host of the workflows that an issuer of GitHub speaks for: github.com (also an enterprise's own issuer there), an
 * enterprise with data residency, or a GitHub Enterprise Server. Undefined for any other issuer.
 */
export function githubHost(issuer: string): string | undefined {
  if (issuer === GITHUB_ISSUER || /^https:\/\/token\.actions\.githubusercontent\.com\/[A-Za-z0-9-]+$/.test(issuer))
    return "github.com";
  return (
    /^https:\/\/([A-Za-z0-9.-]+(?::[0-9]+)?)\/_services\/token$/.exec(issuer)?.[1] ??
    /^https:\/\/token\.actions\.([a-z0-9-]+\.ghe\.com)$/.exec(issuer)?.[1]
  );
}

/** How many strangers a subject lets in. Kyverno's `*` also crosses `/` and `@`. */
export const IDENTITY_RANKS = {
  /** One workflow on one ref, or one address. */
  exact: 0,
  /** One workflow on tags that begin alike, e.g. `refs/tags/v*`. */
  tags: 1,
  /** One workflow on every tag. */
  everyTag: 2,
  /** One workflow on any branch or pull request that the ref pattern matches. */
  openRef: 3,
  /** Any workflow file of a repository, so whoever may push a branch. */
  openWorkflow: 4,
  /** Repositories, owners or addresses that merely begin or end alike. */
  openRepository: 5,
  /** Everybody who has an account with the issuer. */
  anyone: 6,
} as const;
export type IdentityRank = keyof typeof IDENTITY_RANKS;

/** From this rank on a reason must be on record; `anyone` is refused with a reason too. */
const NEEDS_REASON = IDENTITY_RANKS.openWorkflow;

export interface Danger {
  readonly rank: IdentityRank;
  /** Refused unless acknowledged with a reason. */
  readonly refused: boolean;
  readonly who: string;
  readonly safer: string;
}

/** What a wildcard in the ref lets in, the first that matches. */
const OPEN_REFS: readonly (readonly [ref: RegExp, who: string, safer: string])[] = [
  [
    /^refs\/heads\/gh-readonly-queue\/[^*?]+\/[*?]/,
    "every entry of that merge queue, which is code that has not reached the branch yet",
    "let the workflow sign on the branch itself, where that is enough",
  ],
  [/^refs\/heads\/\*$/, "every branch, so whoever may push one", "write the branch out, e.g. @refs/heads/main"],
  [
    /^refs\/heads\//,
    "every branch that this pattern matches, so whoever may push such a one",
    "protect these branches by a rule of the repository, or write one out, e.g. @refs/heads/main",
  ],
  [
    /^refs\/pull\//,
    "pull requests, which is code that nobody has merged",
    "let the workflow sign on the branch, e.g. @refs/heads/main",
  ],
];
const ANY_REF = [
  "every branch, tag and pull request of the repository that this ref pattern matches",
  "write the ref out, e.g. @refs/heads/main or @refs/tags/v*",
] as const;

/** What a subject of this kind looks like, so that no advice names one that its issuer never issues. */
function exampleFor(issuer: string, subject: string): string {
  const host = githubHost(issuer);
  if (host) return `https://${host}/OWNER/REPO/.github/workflows/FILE.yml@refs/heads/main`;
  if (/^https:\/\/gitlab[.]/.test(issuer)) return `${issuer}/GROUP/PROJECT//.gitlab-ci.yml@refs/heads/main`;
  if (/^[^/]*@[^/]*$/.test(subject)) return "release@example.com";
  return "what `image-signing-guard check IMAGE` says of a signed image";
}

/** Whom a subject lets in besides the one that is meant, and what would be narrower. */
function reach(rank: IdentityRank, issuer: string, subject: string): [who: string, safer: string] {
  const example = exampleFor(issuer, subject);
  const ref = subject.slice(subject.indexOf("@") + 1);
  switch (rank) {
    case "exact":
      return ["one identity", ""];
    case "tags":
      return ["tags that begin alike", ""];
    case "everyTag":
      return [
        "every tag, so whoever may push one",
        "protect tags by a rule of the repository, or write how they begin, e.g. @refs/tags/v*",
      ];
    case "openRef": {
      const [, who, safer] = OPEN_REFS.find(([pattern]) => pattern.test(ref)) ?? [undefined, ...ANY_REF];
      return [who, safer];
    }
    case "openWorkflow":
      return [
        "every workflow of the repository, also one that somebody adds on a branch",
        `write the workflow's file name, e.g. ${example}`,
      ];
    case "openRepository":
      return /^[^/]*@[^/]*$/.test(subject)
        ? ["everybody whose address looks alike", `name each address, e.g. ${example}`]
        : [
            "identities that merely begin alike, other repositories and workflows among them",
            `write the repository and the workflow without wildcards, e.g. ${example}`,
          ];
    case "anyone":
      return ["everybody who has an account with the issuer", `name one identity, e.g. ${example}`];
  }
}

export function identityRank(subject: string): IdentityRank {
  if (!/[*?]/.test(subject)) return "exact";
  if (/^[*?\s]*$/.test(subject.replace(/^https?:\/\/|[@/.]/g, ""))) return "anyone";
  const ref = subject.indexOf("@");
  const before = ref === -1 ? subject : subject.slice(0, ref);
  if (ref !== -1 && !/[*?]/.test(before)) {
    if (!isWorkflow(before)) return "openRepository";
    if (/^@refs\/tags\/[^*?]/.test(subject.slice(ref))) return "tags";
    return /^@refs\/tags\//.test(subject.slice(ref)) ? "everyTag" : "openRef";
  }
  return /^https:\/\/[^/*?]+\/[^/*?]+\/[^/*?]+\/\.github\/workflows\/[^/]+$/.test(before)
    ? "openWorkflow"
    : "openRepository";
}

/** Workflows of GitHub, and GitLab's pipelines. */
function isWorkflow(path: string): boolean {
  return /^https:\/\/[^/]+\/.+\.ya?ml$/.test(path);
}

/** How far a subject's wildcards reach; undefined when it has none or only a tag pattern. */
export function wildcardDanger(subject: string, issuer = GITHUB_ISSUER): Danger | undefined {
  const rank = identityRank(subject);
  if (IDENTITY_RANKS[rank] <= IDENTITY_RANKS.tags) return undefined;
  const [who, safer] = reach(rank, issuer, subject);
  return { rank, refused: IDENTITY_RANKS[rank] >= NEEDS_REASON, who, safer };
}

/** The longest subject and claim that a certificate is taken to hold. */
const LONGEST_CLAIM = 1000;

/** An identity, and how the configuration says it. */
interface PlacedIdentity {
  readonly signer: KeylessSigner;
  readonly given: SignerConfig;
  /** The place of `given`. */
  readonly key: string;
  /** What the identity signs. */
  readonly repositories: readonly string[];
}

/** Identities that look narrower than they are, and such as nobody can have. */
export function lintIdentity(identity: PlacedIdentity, problems: ProblemList): void {
  const { signer, given, key } = identity;
  const field = given.github ? `${key}.github` : `${key}.keyless`;
  lintIssuer(signer, field, problems);
  const subjectKey = given.github ? field : `${field}.subject`;
  if (signer.subject.trim() === "") {
    problems.add(
      subjectKey,
      signer.subject,
      "one identity",
      `write who signs, e.g. ${exampleFor(signer.issuer, "")}: Kyverno takes an empty subject for everybody`,
    );
    return;
  }
  if (signer.subject !== signer.subject.trim()) {
    problems.add(subjectKey, signer.subject, "no spaces around it", `write ${signer.subject.trim()}`);
  }
  lintShape(signer, field, problems);
  lintCaller(identity, field, problems);
  checkWildcards(subjectKey, signer.subject, LONGEST_CLAIM, problems);
  for (const [claim, value] of Object.entries(signer.claims))
    checkWildcards(given.github ? field : `${field}.claims.${claim}`, value, LONGEST_CLAIM, problems);
  const danger = wildcardDanger(signer.subject, signer.issuer);
  if (!danger) return;
  if (danger.refused && (!given.acceptWildcardReason || danger.rank === "anyone")) {
    const reason =
      danger.rank === "anyone" ? "no reason makes that safe" : `or say why it is safe in ${key}.acceptWildcardReason`;
    problems.add(
      subjectKey,
      signer.subject,
      "a subject whose wildcards stay inside the ref",
      `${danger.safer}; ${reason}`,
    );
    return;
  }
  problems.warn(`${field}: "${signer.subject}" admits ${danger.who}; ${danger.safer}`);
}

/** Issuers as certificates have them; they are compared exactly. */
const ISSUERS = [
  GITHUB_ISSUER,
  "https://github.com/login/oauth",
  "https://accounts.google.com",
  "https://gitlab.com",
  "https://agent.buildkite.com",
  "https://oauth2.sigstore.dev/auth",
];

/** The issuer that is meant, where this one is another spelling of it or a name that no certificate holds. */
function issuerMeant(issuer: string): string | undefined {
  const plain = issuer.toLowerCase().replace(/\/$/, "");
  if (plain === "https://github.com")
    return `${GITHUB_ISSUER} for workflows, https://github.com/login/oauth for people`;
  return ISSUERS.find((known) => known === plain && known !== issuer);
}

function lintIssuer({ issuer }: KeylessSigner, field: string, problems: ProblemList): void {
  const meant = issuerMeant(issuer);
  if (issuer.trim() === "") {
    const fix = `write the issuer's exact URL, e.g. ${GITHUB_ISSUER}: Kyverno takes an empty issuer for any`;
    problems.add(`${field}.issuer`, issuer, "an https URL without wildcards", fix);
  } else if (!issuer.startsWith("https://")) {
    const fix = `write the issuer's exact URL, e.g. ${GITHUB_ISSUER}`;
    problems.add(`${field}.issuer`, issuer, "an https URL without wildcards", fix);
  } else if (/[*?\s]/.test(issuer)) {
    problems.add(`${field}.issuer`, issuer, "an https URL without wildcards", "write the issuer's exact URL");
  } else if (meant !== undefined) {
    const fix = `write ${meant}: issuers are compared exactly, so no signature would do`;
    problems.add(`${field}.issuer`, issuer, "an issuer as certificates have it", fix);
  }
}

const GITHUB_SUBJECT = /^https:\/\/([^/]+)\/([^/]+)\/([^/]+)\/\.github\/workflows\/[^/@]+@(.+)$/;
/** Two slashes: the first ends the project's path, the second begins the file's. */
const GITLAB_SUBJECT = /^https:\/\/[^/]+\/(?:(?!\/\/).)+\/\/.+@refs\/(heads|tags|merge-requests)\/.+$/;
/** A called workflow is pinned by a commit or a ref; a wildcard may stand for either. */
const WHOLE_REF = /^(refs\/(heads|tags|pull)\/|refs\/?[*?]|refs\/(heads|tags|pull)[*?]|[*?]|[0-9a-f]{40}$)/;
const ADDRESS_ISSUERS = ["https://accounts.google.com", "https://github.com/login/oauth"];

/** A subject that GitHub never issues refuses every image; better said now than then. */
function lintShape({ issuer, subject }: KeylessSigner, field: string, problems: ProblemList): void {
  if (/^[^/,\s]+@[^/,]+[,;]\s*[^/,\s]+@[^/]*$/.test(subject))
    problems.warn(`${field}: "${subject}" is no one's address; make a signer of its own for each`);
  if (ADDRESS_ISSUERS.includes(issuer) && !/^[^/]*@[^/]*$/.test(subject))
    problems.warn(`${field}: ${issuer} speaks for people and machines by their address; "${subject}" is none`);
  if (/^https:\/\/gitlab[.]/.test(issuer) && !/[*?]/.test(subject) && !GITLAB_SUBJECT.test(subject))
    problems.warn(`${field}: GitLab issues no subject like "${subject}"; it looks like ${exampleFor(issuer, subject)}`);
  const host = githubHost(issuer);
  if (!host || /[*?]/.test(subject.split("@")[0]!)) return;
  const match = GITHUB_SUBJECT.exec(subject);
  const example = exampleFor(issuer, subject);
  if (!match || match[1] !== host || !/\.ya?ml@/.test(subject)) {
    // What people know from the token, which is not what Fulcio puts into the certificate.
    const environment = /^repo:.*:environment:/.test(subject)
      ? "; the environment stands in no field that Kyverno 1.10 reads, so protect the branch or tag that it is limited to"
      : "";
    problems.warn(`${field}: GitHub issues no subject like "${subject}"; it looks like ${example}${environment}`);
  } else if (!WHOLE_REF.test(match[4]!)) {
    if (match[4]!.startsWith("refs/"))
      problems.warn(
        `${field}: no run has the ref "${match[4]}": refs/heads/..., refs/tags/... or refs/pull/NUMBER/merge`,
      );
    else
      problems.warn(
        `${field}: the ref in GitHub's subjects is written in full; write ${subject.replace(/@.*$/, "")}@${fullRef(match[4]!)}`,
      );
  }
}

/** What a short ref most likely is. */
export function fullRef(ref: string): string {
  if (/^(heads|tags|pull)\//.test(ref)) return `refs/${ref}`;
  if (/^[0-9a-f]{7,39}$/.test(ref)) return "COMMIT, with all its 40 digits";
  return /^v?\d+(\.\d+)*/.test(ref) ? `refs/tags/${ref}` : `refs/heads/${ref}`;
}

/**
 * A workflow that others can call signs for each of them under its own name. Whether it can be called is not to be seen
 * here; that it belongs to another owner than the images on ghcr.io is.
 */
function lintCaller({ signer, given, repositories }: PlacedIdentity, field: string, problems: ProblemList): void {
  const { issuer, subject, claims } = signer;
  if (!githubHost(issuer)) return;
  const line = (owner: string) =>
    given.github ? `callerRepository: ${owner}/REPO` : `claims: {githubWorkflowRepository: ${owner}/REPO}`;
  const bound = claims.githubWorkflowRepository;
  if (bound !== undefined && !/^[*?]*$/.test(bound.replace("/", ""))) return;
  if (bound !== undefined) {
    problems.warn(`${field}: "${bound}" binds no caller; write ${line("OWNER")}`);
    return;
  }
  const owner = GITHUB_SUBJECT.exec(subject)?.[2]?.toLowerCase();
  const owners = repositories.flatMap((repository) => /^ghcr\.io\/([^/*?]+)\//.exec(repository)?.[1] ?? []);
  const other = owners.find((name) => owner !== undefined && name !== owner);
  if (!other) return;
  problems.warn(
    `${field}: the workflow belongs to ${owner}, the images to ${other}; if others can call it, it signs for them too. Add ${line(other)}, in GitHub's own spelling`,
  );
}

/** A signer with the key under which the configuration has it. */
export interface PlacedSigner {
  readonly key: string;
  readonly signer: Signer;
}

/** One repository in two spellings: certificates keep GitHub's, so one of them never matches. */
export function lintSpelling(placed: readonly PlacedSigner[], problems: ProblemList): void {
  const seen = new Map<string, { spelling: string; key: string }>();
  for (const { key, signer } of placed) {
    if (signer.kind !== "keyless" || !githubHost(signer.issuer)) continue;
    const match = GITHUB_SUBJECT.exec(signer.subject);
    const spellings = [match ? `${match[2]}/${match[3]}` : undefined, signer.claims.githubWorkflowRepository];
    for (const spelling of spellings) {
      if (spelling === undefined || /[*?]/.test(spelling)) continue;
      const earlier = seen.get(spelling.toLowerCase());
      seen.set(spelling.toLowerCase(), earlier ?? { spelling, key });
      if (!earlier || earlier.spelling === spelling) continue;
      const better = earlier.spelling === earlier.spelling.toLowerCase() ? spelling : earlier.spelling;
      problems.warn(
        `${earlier.key} and ${key}: "${earlier.spelling}" and "${spelling}" are one repository; certificates keep GitHub's upper and lower case, so write ${better} in both if that is GitHub's spelling`,
      );
    }
  }
}
