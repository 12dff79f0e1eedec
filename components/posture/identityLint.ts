import type { ProblemList } from "../problems";
import type { SignerConfig } from "../schema";
import type { KeylessSigner, Signer } from "./types";

export const GITHUB_ISSUER = "https://token.actions.githubusercontent.com";

/** How many strangers a subject lets in. Kyverno's `*` also crosses `/` and `@`. */
export const IDENTITY_RANKS = {
  /** One workflow on one ref, or one address. */
  exact: 0,
  /** One workflow on tags that begin alike, e.g. `refs/tags/v*`. */
  tags: 1,
  /** One workflow on any branch or pull request that the ref pattern matches. */
  openRef: 2,
  /** Any workflow file of a repository, so whoever may push a branch. */
  openWorkflow: 3,
  /** Repositories, owners or addresses that merely begin or end alike. */
  openRepository: 4,
  /** Everybody who has an account with the issuer. */
  anyone: 5,
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

const EXAMPLE = "https://github.com/OWNER/REPO/.github/workflows/FILE.yml@refs/heads/main";
const WHO: Record<IdentityRank, [who: string, safer: string]> = {
  exact: ["one identity", ""],
  tags: ["tags that begin alike", ""],
  openRef: [
    "every branch and pull request of the repository that this ref pattern matches",
    "write the ref out, e.g. @refs/heads/main or @refs/tags/v*",
  ],
  openWorkflow: [
    "every workflow of the repository, also one that somebody adds on a branch",
    `write the workflow's file name, e.g. ${EXAMPLE}`,
  ],
  openRepository: [
    "identities that merely begin alike, other repositories and workflows among them",
    `write the repository and the workflow without wildcards, e.g. ${EXAMPLE}`,
  ],
  anyone: ["everybody who has an account with the issuer", `name one identity, e.g. ${EXAMPLE}`],
};

export function identityRank(subject: string): IdentityRank {
  if (!/[*?]/.test(subject)) return "exact";
  if (/^[*?\s]*$/.test(subject.replace(/^https?:\/\/|[@/.]/g, ""))) return "anyone";
  const ref = subject.indexOf("@");
  const before = ref === -1 ? subject : subject.slice(0, ref);
  if (ref !== -1 && !/[*?]/.test(before)) {
    return /^@refs\/tags\/[^*?]+\*$/.test(subject.slice(ref))
      ? "tags"
      : isWorkflow(before)
        ? "openRef"
        : "openRepository";
  }
  return /^https:\/\/github\.com\/[^/*?]+\/[^/*?]+\/\.github\/workflows\/[^/]+$/.test(before)
    ? "openWorkflow"
    : "openRepository";
}

/** Workflows of GitHub, and GitLab's pipelines. */
function isWorkflow(path: string): boolean {
  return /^https:\/\/[^/]+\/.+\.ya?ml$/.test(path);
}

/** How far a subject's wildcards reach; undefined when it has none or only a tag pattern. */
export function wildcardDanger(subject: string): Danger | undefined {
  const rank = identityRank(subject);
  if (IDENTITY_RANKS[rank] <= IDENTITY_RANKS.tags) return undefined;
  const [who, safer] = WHO[rank];
  return { rank, refused: IDENTITY_RANKS[rank] >= NEEDS_REASON, who, safer };
}

/** Identities that look narrower than they are, and such as nobody can have. */
export function lintIdentity(
  signer: KeylessSigner,
  given: SignerConfig,
  key: string,
  repositories: readonly string[],
  problems: ProblemList,
  warnings: string[],
): void {
  const field = given.github ? `${key}.github` : `${key}.keyless`;
  lintIssuer(signer, field, problems);
  const subjectKey = given.github ? field : `${field}.subject`;
  if (signer.subject.trim() === "") {
    problems.add(
      subjectKey,
      signer.subject,
      "one identity",
      `write who signs, e.g. ${EXAMPLE}: Kyverno takes an empty subject for everybody`,
    );
    return;
  }
  if (signer.subject !== signer.subject.trim()) {
    problems.add(subjectKey, signer.subject, "no spaces around it", `write ${signer.subject.trim()}`);
  }
  lintShape(signer, field, warnings);
  lintCaller(signer, given, field, repositories, warnings);
  const danger = wildcardDanger(signer.subject);
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
  warnings.push(`${field}: "${signer.subject}" admits ${danger.who}; ${danger.safer}`);
}

function lintIssuer({ issuer }: KeylessSigner, field: string, problems: ProblemList): void {
  if (issuer.trim() === "") {
    const fix = `write the issuer's exact URL, e.g. ${GITHUB_ISSUER}: Kyverno takes an empty issuer for any`;
    problems.add(`${field}.issuer`, issuer, "an https URL without wildcards", fix);
  } else if (!issuer.startsWith("https://")) {
    const fix = `write the issuer's exact URL, e.g. ${GITHUB_ISSUER}`;
    problems.add(`${field}.issuer`, issuer, "an https URL without wildcards", fix);
  } else if (/[*?\s]/.test(issuer)) {
    problems.add(`${field}.issuer`, issuer, "an https URL without wildcards", "write the issuer's exact URL");
  }
}

const GITHUB_SUBJECT = /^https:\/\/github\.com\/([^/]+)\/([^/]+)\/\.github\/workflows\/[^/@]+@(.+)$/;

/** A subject that GitHub never issues refuses every image; better said now than then. */
function lintShape({ issuer, subject }: KeylessSigner, field: string, warnings: string[]): void {
  if (issuer !== GITHUB_ISSUER || /[*?]/.test(subject.split("@")[0]!)) return;
  const match = GITHUB_SUBJECT.exec(subject);
  if (!match) {
    warnings.push(`${field}: GitHub issues no subject like "${subject}"; it looks like ${EXAMPLE}`);
  } else if (!/^(refs\/|[*?])/.test(match[3]!)) {
    warnings.push(
      `${field}: the ref in GitHub's subjects is written in full; write ${subject.replace(/@.*$/, "")}@refs/heads/${match[3]}`,
    );
  }
}

/**
 * A workflow that others can call signs for each of them under its own name. Whether it can be called is not to be seen
 * here; that it belongs to another owner than the images on ghcr.io is.
 */
function lintCaller(
  { issuer, subject, claims }: KeylessSigner,
  given: SignerConfig,
  field: string,
  repositories: readonly string[],
  warnings: string[],
): void {
  if (issuer !== GITHUB_ISSUER) return;
  const line = (owner: string) =>
    given.github ? `callerRepository: ${owner}/REPO` : `claims: {githubWorkflowRepository: ${owner}/REPO}`;
  const bound = claims.githubWorkflowRepository;
  if (bound !== undefined && !/^[*?]*$/.test(bound.replace("/", ""))) return;
  if (bound !== undefined) {
    warnings.push(`${field}: "${bound}" binds no caller; write ${line("OWNER")}`);
    return;
  }
  const owner = GITHUB_SUBJECT.exec(subject)?.[1]?.toLowerCase();
  const owners = repositories.flatMap((repository) => /^ghcr\.io\/([^/*?]+)\//.exec(repository)?.[1] ?? []);
  const other = owners.find((name) => owner !== undefined && name !== owner);
  if (!other) return;
  warnings.push(
    `${field}: the workflow belongs to ${owner}, the images to ${other}; if others can call it, it signs for them too. Add ${line(other)}, in GitHub's own spelling`,
  );
}

/** A signer with the key under which the configuration has it. */
export interface PlacedSigner {
  readonly key: string;
  readonly signer: Signer;
}

/** One repository in two spellings: certificates keep GitHub's, so one of them never matches. */
export function lintSpelling(placed: readonly PlacedSigner[], warnings: string[]): void {
  const seen = new Map<string, { spelling: string; key: string }>();
  for (const { key, signer } of placed) {
    if (signer.kind !== "keyless" || signer.issuer !== GITHUB_ISSUER) continue;
    const match = GITHUB_SUBJECT.exec(signer.subject);
    const spellings = [match ? `${match[1]}/${match[2]}` : undefined, signer.claims.githubWorkflowRepository];
    for (const spelling of spellings) {
      if (spelling === undefined || /[*?]/.test(spelling)) continue;
      const earlier = seen.get(spelling.toLowerCase());
      seen.set(spelling.toLowerCase(), earlier ?? { spelling, key });
      if (!earlier || earlier.spelling === spelling) continue;
      const better = earlier.spelling === earlier.spelling.toLowerCase() ? spelling : earlier.spelling;
      warnings.push(
        `${earlier.key} and ${key}: "${earlier.spelling}" and "${spelling}" are one repository; certificates keep GitHub's upper and lower case, so write ${better} in both if that is GitHub's spelling`,
      );
    }
  }
}
