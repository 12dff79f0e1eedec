import { InstallationFinding as F } from "../../args";
import { globContains, globMatches, globsIntersect } from "../../globs";
import type { Manifest } from "../../kubernetes/manifest";
import { DEBUG, PODS, WORKLOAD_KINDS } from "../../policies/place";
import { imageReferences } from "../../posture/images";
import { KYVERNO_LINES } from "../../posture/kyvernoLines";
import { enforcedScopes } from "../../posture/namespaces";
import type { NamespaceScope, Posture } from "../../posture/types";
import { flagValue, WEAKENING_FLAGS } from "../flags";
import { exclusionsOf, filtersOf } from "../settingsMap";
import { controllerOf, readers } from "./controllers";
import { registryAccess, trustFiles } from "./readers";
import { webhookSelectors } from "./selectors";
import type { Controller, Found, Installation, Unusable } from "./types";

/** Everything that a stack's promises rest on. Pure: the same installation and posture give the same findings. */
export function findingsOf(installation: Installation, posture: Posture, trust?: Manifest): Found[] {
  const scopes = enforcedScopes(posture);
  return [
    ...resourceFilters(installation, scopes),
    ...excludedCallers(installation),
    ...webhookSelectors(installation, scopes),
    ...policyExceptions(installation, posture),
    ...controllerFlags(installation),
    ...trustFiles(installation, trust, posture),
    ...registryAccess(installation, posture),
    ...namespacedPolicies(installation, posture),
    ...overlappingPolicies(installation, posture),
    ...strength(installation, posture),
  ];
}

/** Whether there is one Kyverno, where the stack says, of a version that policies exist for. */
export function unusable(installation: Installation, posture: Posture): Unusable | undefined {
  const { namespace, release, controllers, elsewhere } = installation;
  const admission = controllerOf(installation, "admission-controller");
  const [other] = elsewhere;
  if (!admission)
    return other
      ? // What is too old has no such controller, under no name.
        (unsupported(other) ?? {
          found: `Kyverno runs as release ${other.release} in namespace ${other.namespace}, not as ${release} in ${namespace}`,
          fix: `set kyverno.namespace: ${other.namespace} and kyverno.releaseName: ${other.release}`,
        })
      : {
          found: `no Kyverno in this cluster${controllers.length > 0 ? ` has an admission controller (${namespace} has ${controllers.map(({ name }) => name).join(", ")})` : ""}`,
          fix: "remove kyverno.install: false to have the guard install it, or install it first (render prints the Helm values)",
        };
  if (other)
    return {
      found: `two Kyvernos in this cluster: ${release} in ${namespace} and ${other.release} in ${other.namespace}`,
      fix: "uninstall one: both write the same webhook configurations",
    };
  return wrongVersion(admission, posture);
}

function wrongVersion(controller: Controller, { kyverno }: Posture): Unusable | undefined {
  const none = unsupported(controller);
  if (none) return none;
  const version = controller.version!;
  const line = lineOf(version);
  if (line !== kyverno.target)
    return { found: `Kyverno ${version}, and policies for ${kyverno.target}`, fix: `set kyverno.target: "${line}"` };
  const { oldestPatch } = KYVERNO_LINES[kyverno.target];
  if (Number(version.split(".")[2]) < oldestPatch)
    return { found: `Kyverno ${version}`, fix: `have Kyverno moved to ${line}.${oldestPatch} or later` };
  return undefined;
}

function lineOf(version: string): string {
  return version.split(".").slice(0, 2).join(".");
}

function unsupported({ name, version }: Controller): Unusable | undefined {
  const lines = Object.keys(KYVERNO_LINES);
  if (!version)
    return {
      found: `the image of ${name} has no version in its tag`,
      fix: "have it deployed with the tag of a release: which policies it understands depends on it",
    };
  if (lineOf(version) in KYVERNO_LINES) return undefined;
  return {
    found: `Kyverno ${version}`,
    fix: `policies exist for ${lines.join(" and ")}: have Kyverno moved to one of them`,
  };
}

const WATCHED = [...PODS.kinds, ...DEBUG.kinds, ...WORKLOAD_KINDS, "ControllerRevision"];

function resourceFilters({ config }: Installation, scopes: readonly NamespaceScope[]): Found[] {
  const harmful = filtersOf(config?.resourceFilters ?? "").filter((filter) => {
    const [kind = "", namespace = "*"] = filter.slice(1, -1).split(",");
    return hidesWatched(kind) && scopes.some((scope) => reaches(scope, namespace || "*"));
  });
  if (harmful.length === 0) return [];
  return [
    {
      finding: F.ResourceFilters,
      evidence: `Kyverno looks away from ${harmful.join(" ")}`,
      undoes: "no policy sees such an object, whatever image or bypass it carries",
      mend: `Helm values: config.resourceFilters without ${harmful.join(" ")}`,
    },
  ];
}

/** Kinds of other groups, written with all four parts, are none of ours. */
function hidesWatched(kind: string): boolean {
  const parts = kind.split("/");
  if (parts.length === 4 && parts[0]!.includes(".")) return false;
  if (kind === "*" || kind === "*/*") return true;
  const own = parts.length >= 3 ? parts.slice(2).join("/") : /^v\d/.test(parts[0]!) ? parts.slice(1).join("/") : kind;
  return WATCHED.some((watched) => globMatches(own, watched));
}

/** Whether some namespace of a pattern lies in a scope. */
function reaches({ include, exclude }: NamespaceScope, pattern: string): boolean {
  const within = include.length === 0 || include.some((one) => globsIntersect(one, pattern));
  return within && !exclude.some((one) => globContains(one, pattern));
}

/** Kubelets, which may only write the mirror pods of their own node. The chart's own default. */
const KUBELETS = "system:nodes";

function excludedCallers({ config }: Installation): Found[] {
  const all = exclusionsOf(config ?? {});
  const text = (some: typeof all) => some.map(({ key, name }) => `${key}: ${name}`).join(", ");
  const [kubelets, others] = [all.filter(({ name }) => name === KUBELETS), all.filter(({ name }) => name !== KUBELETS)];
  return [
    ...(others.length > 0
      ? [
          {
            finding: F.ExcludedCallers,
            evidence: `no policy is applied to ${text(others)}`,
            undoes: "whoever acts as one of these runs any image",
            mend: `Helm values: ${[...new Set(others.map(({ key }) => `config.${key}: []`))].join(", ")}`,
          },
        ]
      : []),
    ...(kubelets.length > 0
      ? [
          {
            evidence: `no policy is applied to ${text(kubelets)}`,
            undoes: "a stolen kubelet certificate runs any image on its node",
            mend: "Helm values: config.excludeGroups: []",
          },
        ]
      : []),
  ];
}

function policyExceptions(installation: Installation, { kyverno }: Posture): Found[] {
  const open = readers(installation).filter(
    (one) =>
      flagValue(one.args, "enablePolicyException") === "true" &&
      (flagValue(one.args, "exceptionNamespace") ?? "") !== (kyverno.exceptionsNamespace ?? "none"),
  );
  if (open.length === 0) return [];
  const where = flagValue(open[0]!.args, "exceptionNamespace") || "every namespace";
  return [
    {
      finding: F.PolicyExceptions,
      evidence: `${open.map(({ name }) => name).join(" and ")}: PolicyExceptions of ${where} count`,
      undoes: "whoever may write one there gets around every policy",
      mend: "Helm values: features.policyExceptions.enabled: false; or say where in kyverno.policyExceptionsNamespace",
    },
  ];
}

function controllerFlags(installation: Installation): Found[] {
  return WEAKENING_FLAGS.flatMap(({ flag, bad, why }) => {
    const set = readers(installation).filter((one) => flagValue(one.args, flag) === bad);
    if (set.length === 0) return [];
    return [
      {
        finding: F.ControllerFlags,
        evidence: `${set.map(({ name }) => name).join(" and ")} with --${flag}=${bad}`,
        undoes: why,
        mend: `have the flag --${flag} removed`,
      },
    ];
  });
}

function namespacedPolicies({ aggregated }: Installation, { backstop }: Posture): Found[] {
  if (aggregated.length === 0 || backstop) return [];
  return [
    {
      finding: F.NamespacedPolicies,
      evidence: `admins of namespaces may write Kyverno policies, by ${aggregated.join(", ")}`,
      undoes: "such a policy runs with Kyverno's own rights and can take these policies away",
      mend: `kubectl delete clusterrole ${aggregated.join(" ")}; or the backstop, on Kubernetes 1.30 or newer`,
    },
  ];
}

function overlappingPolicies({ verifications }: Installation, { images }: Posture): Found[] {
  const own = images.flatMap(({ repositories }) => repositories).flatMap(imageReferences);
  const overlapping = verifications.filter((policy) =>
    policy.images.some((pattern) => own.some((one) => globsIntersect(pattern, one))),
  );
  if (overlapping.length === 0) return [];
  const names = overlapping.map(({ name }) => name).join(", ");
  return [
    {
      finding: F.OverlappingPolicies,
      evidence: `images of this stack are verified by ${names} too`,
      undoes: "Kyverno keeps one verdict for an image: what the other policy believes counts here as well",
      mend: `take these images out of ${names}`,
    },
  ];
}

/** Switches of the reports controller without which nobody sees what is audited. */
const SEEN: readonly { readonly flag: string; readonly lost: string }[] = [
  { flag: "backgroundScan", lost: "what runs already is never looked at again" },
  { flag: "admissionReports", lost: "what is admitted now is in no report" },
  { flag: "policyReports", lost: "there are no reports" },
];

/** What makes it weaker, but undoes no promise. */
function strength(installation: Installation, { kyverno }: Posture): Found[] {
  const admission = controllerOf(installation, "admission-controller")!;
  const reports = controllerOf(installation, "reports-controller");
  const limit = admission.memoryLimit === undefined ? Number.POSITIVE_INFINITY : mebibytes(admission.memoryLimit);
  return [
    ...earlierPatch(admission, kyverno),
    ...(reports && reports.available > 0
      ? []
      : [
          {
            evidence: "no reports controller runs",
            undoes: "what is audited is seen by nobody",
            mend: "Helm values: reportsController.enabled: true",
          },
        ]),
    ...SEEN.filter(({ flag }) => flagValue(reports?.args ?? [], flag) === "false").map(({ flag, lost }) => ({
      evidence: `${reports!.name} with --${flag}=false`,
      undoes: lost,
      mend: `have the flag --${flag} removed`,
    })),
    ...(admission.available < kyverno.replicas
      ? [
          {
            evidence: `${admission.available} of ${kyverno.replicas} admission controllers are available`,
            undoes: "an outage of one refuses every pod where the stack enforces",
            mend: `Helm values: admissionController.replicas: ${kyverno.replicas}`,
          },
        ]
      : []),
    ...(limit < mebibytes(kyverno.memoryLimit)
      ? [
          {
            evidence: `the admission controller may use ${admission.memoryLimit} of memory`,
            undoes: "large pods can get it killed, again and again",
            mend: `Helm values: admissionController.container.resources.limits.memory: ${kyverno.memoryLimit}`,
          },
        ]
      : []),
  ];
}

/** What the guard itself installs is what it was tried on. */
function earlierPatch({ version = "" }: Controller, { target }: Posture["kyverno"]): Found[] {
  const { appVersion } = KYVERNO_LINES[target];
  if (Number(version.split(".")[2]) >= Number(appVersion.split(".")[2])) return [];
  return [
    {
      evidence: `Kyverno ${version}, and this package was tried on ${appVersion}`,
      undoes: "earlier patches have bugs that were mended since: 1.10.0 refuses every debug container, signed or not",
      mend: `have Kyverno moved to ${appVersion}`,
    },
  ];
}

const UNITS: Readonly<Record<string, number>> = {
  ...{ "": 1 / 1_048_576, k: 1000 / 1_048_576, M: 1_000_000 / 1_048_576, G: 1_000_000_000 / 1_048_576 },
  ...{ Ki: 1 / 1024, Mi: 1, Gi: 1024, Ti: 1_048_576 },
};

/** Of a quantity that is none of ours, infinite: nobody is warned of what can't be read. */
function mebibytes(quantity: string): number {
  const [, number, unit = ""] = /^([0-9.]+)([A-Za-z]*)$/.exec(quantity) ?? [];
  return Number(number ?? Number.NaN) * (UNITS[unit] ?? Number.NaN) || Number.POSITIVE_INFINITY;
}
