import type { InstallationFinding as F } from "../../args";
import type { Mount } from "./mounts";

export interface Selector {
  readonly matchLabels?: object;
  readonly matchExpressions?: readonly { key?: string; operator?: string; values?: readonly string[] }[];
}

/** What of a webhook says whether the API server asks it. */
export interface Selectors {
  readonly namespaceSelector?: Selector;
  readonly objectSelector?: Selector;
  readonly matchConditions?: readonly { readonly name?: string }[];
}

/** One of Kyverno's controllers, as its Deployment says. */
export interface Controller {
  readonly name: string;
  readonly namespace: string;
  readonly component: string;
  readonly release: string;
  readonly image: string;
  /** Of its image's tag, as 1.10.7; absent where the tag is none. */
  readonly version?: string;
  readonly available: number;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** ConfigMaps that it has as files. */
  readonly mounts: readonly Mount[];
  readonly serviceAccount: string;
  /** A Kubernetes quantity; absent for no limit. */
  readonly memoryLimit?: string;
}

/** A policy that the guard did not make and that verifies images. */
export interface ForeignVerification {
  readonly name: string;
  /** Patterns of the images. */
  readonly images: readonly string[];
}

/** What a stack's promises rest on where somebody else runs Kyverno. */
export interface Installation {
  readonly namespace: string;
  readonly release: string;
  readonly controllers: readonly Controller[];
  /** Admission controllers of other installations, and Kyvernos from before there were several controllers. */
  readonly elsewhere: readonly Controller[];
  /** Data of the ConfigMaps that its controllers have as files, by name. */
  readonly configMaps: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Annotations of its controllers' ServiceAccounts, by name. */
  readonly serviceAccounts: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** What keeps the API server from asking Kyverno, as its webhooks are registered now. */
  readonly registered: readonly Selectors[];
  /** Data of Kyverno's own ConfigMap; absent where there is none. */
  readonly config?: Readonly<Record<string, string>>;
  /** ClusterRoles by which admins of namespaces may write Kyverno policies. */
  readonly aggregated: readonly string[];
  readonly verifications: readonly ForeignVerification[];
}

/** Something about a Kyverno that somebody else runs. */
export interface Found {
  /** What may be acknowledged; absent for what is only worth knowing. */
  readonly finding?: F;
  /** What is so. */
  readonly evidence: string;
  /** What it would undo. */
  readonly undoes: string;
  /** Helm values of Kyverno's chart, or a command. */
  readonly mend: string;
}

/** Why nothing can be made at all: not even with a reason. */
export interface Unusable {
  readonly found: string;
  readonly fix: string;
}
