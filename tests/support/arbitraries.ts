import * as fc from "fast-check";
import { newKeyPair } from "./pems";

const KEY = newKeyPair().publicKey;

/** Patterns that often lie inside, beside or across one another. */
const NAMESPACE_PATTERNS = [
  ...["prod", "prod-*", "prod-a", "prod-a*", "prod-?", "p*", "dev", "dev-*", "dev-a", "dev-a-*", "dev-??", "*-a"],
  ...["team-a", "team-*", "team-a-*", "team-?", "a", "a*", "?", "b-*", "kube-*", "kyv*", "ops"],
];
const SYSTEM_NAMES = ["istio-system", "prod-a", "dev-a", "ops", "team-a"];
const REPOSITORIES = [
  ...["ghcr.io/a/x", "ghcr.io/a/x*", "ghcr.io/a/x-*", "ghcr.io/a/*", "ghcr.io/b/*", "ghcr.io/b/y", "ghcr.io/*/z"],
  ...[
    "docker.io/library/nginx",
    "docker.io/*",
    "localhost:5000/a",
    "localhost:5000/*",
    "*.io/a/x",
    "quay.io/c/*-run",
    "ghcr.io/a/*256",
  ],
];

const mode = () => fc.constantFrom("audit", "enforce");
const few = <T>(values: readonly T[], max: number) => fc.uniqueArray(fc.constantFrom(...values), { maxLength: max });
const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });

const namespaces = fc.record(
  {
    system: few(SYSTEM_NAMES, 2),
    production: few(NAMESPACE_PATTERNS, 3),
    development: few(NAMESPACE_PATTERNS, 3),
    overrides: few(NAMESPACE_PATTERNS, 3).chain((patterns) =>
      fc.tuple(...patterns.map((namespace) => mode().map((value) => ({ namespace, mode: value })))),
    ),
  },
  { requiredKeys: [] },
);

/** Overrides inside the default classes, where the partition is most intricate. */
const overridden = few(["prod", "prod-a", "prod-a-*", "dev", "dev-*", "dev-a", "team-a", "team-b-*"], 4).chain(
  (patterns) =>
    fc
      .tuple(...patterns.map((namespace) => mode().map((value) => ({ namespace, mode: value }))))
      .map((overrides) => ({ overrides })),
);

const images = few(REPOSITORIES, 4)
  .filter((repositories) => repositories.length > 0)
  .chain((repositories) =>
    fc
      .array(fc.integer({ min: 0, max: 2 }), { minLength: repositories.length, maxLength: repositories.length })
      .map((groups) =>
        [0, 1, 2]
          .map((group) => repositories.filter((_, index) => groups[index] === group))
          .filter((group) => group.length > 0)
          .map((group, index) => ({
            name: `entry-${index}`,
            repositories: group,
            signers: [{ key: { publicKey: KEY } }],
          })),
      ),
  );

const action = () => maybe(fc.constantFrom("report", "refuse"));
const uncovered = fc.record({
  production: action(),
  applications: action(),
  exempt: maybe(
    few(["registry.k8s.io/*", "docker.io/library/busybox"], 2).map((repositories) =>
      repositories.map((repository) => ({ repositories: [repository], reason: "test" })),
    ),
  ),
});

export interface RandomSettings {
  readonly mode?: "audit" | "enforce";
  readonly images: { name: string; repositories: string[]; signers: unknown[] }[];
  readonly namespaces?: {
    system?: string[];
    production?: string[];
    development?: string[];
    overrides?: { namespace: string; mode: "audit" | "enforce" }[];
  };
  readonly uncovered?: { production?: string; applications?: string; exempt?: { repositories: string[] }[] };
  readonly [key: string]: unknown;
}

/** Configurations of every kind; many are refused because two entries overlap. */
export function randomSettings(): fc.Arbitrary<RandomSettings> {
  return fc
    .record({
      mode: maybe(mode()),
      images,
      namespaces: fc.oneof(namespaces, overridden, fc.constant(undefined)),
      uncovered: maybe(uncovered),
      bypass: maybe(fc.constant({ groups: ["platform-oncall"] })),
      kyverno: maybe(
        fc.record({ target: fc.constantFrom("1.10", "1.19"), namespace: fc.constantFrom("kyverno", "ops") }),
      ),
    })
    .map((given) => JSON.parse(JSON.stringify(given)) as RandomSettings);
}

/** Namespace names in and around the patterns. */
export const NAMESPACES = [
  ...new Set([
    ...[...NAMESPACE_PATTERNS, ...SYSTEM_NAMES].flatMap((pattern) =>
      ["", "a", "b", "a-a", "xx"].map((text) => pattern.replaceAll("*", text).replaceAll("?", text[0] ?? "z")),
    ),
    ...["kube-system", "kube-public", "kube-node-lease", "kyverno", "default", "production", "development", "prod-b"],
  ]),
].filter((name) => /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(name));

const DIGEST = `sha256:${"0123456789abcdef".repeat(4)}`;

/** Image texts as Kyverno 1.10 compares them (without the tag where there is a digest), with their repository. */
export const IMAGES = [
  ...new Set([
    ...REPOSITORIES.flatMap((pattern) => ["", "a", "x-1", "b/c"].map((text) => pattern.replaceAll("*", text))),
    ...["ghcr.io/other/app", "registry.k8s.io/pause", "docker.io/library/busybox"],
  ]),
]
  .filter((repository) => /^[a-z0-9.-]+(:\d+)?(\/[a-z0-9][a-z0-9._-]*)+$/.test(repository))
  .flatMap((repository) => [`${repository}:v1`, `${repository}@${DIGEST}`].map((image) => ({ image, repository })));
