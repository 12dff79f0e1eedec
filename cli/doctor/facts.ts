import type { Compiled } from "../../components/compile";
import type { Manifest } from "../../components/kubernetes/manifest";
import type { Installation } from "../../components/kyverno/installed/types";
import type { Resolved } from "../../components/posture/types";
import type { RegistryTrouble } from "../images/registryError";
import { type Finding, finding } from "./finding";

/** What was seen, or why it could not be. */
export type Asked<T> = { readonly known: T } | { readonly unknown: string; readonly fix?: string };

/** Everything that the checks look at. Gathered once; the checks themselves ask nobody. */
export interface Facts {
  readonly now: Date;
  readonly commands: Commands;
  /** Kyverno's namespace and release, from the stack or the flags. */
  readonly namespace: string;
  readonly release: string;
  readonly stack?: StackFacts;
  readonly engine: EngineFacts;
  readonly cluster: Asked<ClusterFacts>;
  readonly releases: Asked<ReleaseFacts[]>;
  readonly deployments: Asked<DeploymentFacts[]>;
  readonly pods: Asked<PodFacts[]>;
  readonly heartbeat: Asked<Date | undefined>;
  readonly webhooks: Asked<WebhookConfiguration[]>;
  /** Objects of the backstop that the cluster has. */
  readonly backstop: Asked<Manifest[]>;
  /** PEM of Kyverno's own authority and of its serving certificate; absent where there is no such secret. */
  readonly certificates: Asked<{ readonly ca?: string; readonly pair?: string }>;
  readonly crds: Asked<string[]>;
  readonly policies: Asked<PolicyObject[]>;
  /** Kyverno's own ConfigMap; its data. */
  readonly config: Asked<Record<string, string> | undefined>;
  readonly trustMap: Asked<Record<string, string> | undefined>;
  /** Only for a stack with `kyverno.install: false`. */
  readonly installation?: Asked<Installation>;
  readonly pullSecrets: Asked<string[]>;
  readonly reports: Asked<ReportFacts>;
  readonly exceptions: Asked<ExceptionObject[] | undefined>;
  readonly registries: RegistryFacts[];
}

/** How commands must begin so that they reach the same cluster and stack. */
export interface Commands {
  readonly kubectl: string;
  readonly guard: string;
  readonly helm: string;
  /** The caller's own flags of the cluster, each with a space before it. */
  readonly clusterFlags: string;
  /** "--stack prod", with the folder where it is not this one. */
  readonly stackFlags: string;
}

export interface StackFacts {
  readonly name: string;
  readonly folder: string;
  readonly resolved: Resolved;
  readonly compiled: Compiled;
}

export interface EngineFacts {
  readonly cli?: string;
  /** Versions of the Kubernetes provider that are installed. */
  readonly plugins: readonly string[];
  /** The version that this package's SDK asks for. */
  readonly wantedPlugin: string;
  /** A plugin on PATH, which the engine prefers. */
  readonly pluginOnPath?: string;
}

export interface ClusterFacts {
  readonly server: string;
  readonly version: string;
  /** The server's clock minus ours. */
  readonly skewSeconds?: number;
}

export interface ReleaseFacts {
  readonly name: string;
  readonly revision: number;
  readonly status: string;
  /** NAME-VERSION of the chart, where the release could be read. */
  readonly chart?: string;
  readonly appVersion?: string;
  readonly secret: string;
}

export interface DeploymentFacts {
  readonly name: string;
  readonly component: string;
  readonly wanted: number;
  readonly available: number;
  readonly image: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Names of the ConfigMaps that its first container mounts. */
  readonly configMaps: readonly string[];
}

export interface PodFacts {
  readonly name: string;
  readonly waiting: readonly string[];
  readonly restarts: number;
  readonly lastEnd?: string;
}

export interface WebhookConfiguration {
  readonly kind: "mutating" | "validating";
  readonly name: string;
  readonly webhooks: readonly {
    readonly name: string;
    readonly failurePolicy: string;
    readonly caBundle: string;
    /** Namespaces that the selector leaves out by name. */
    readonly excluded: readonly string[];
    /** Other conditions on namespace or object. */
    readonly otherConditions: number;
    /** Conditions on the request, in CEL. */
    readonly matchConditions: readonly string[];
    /** Whether it is called for new and changed pods. */
    readonly calledForPods: boolean;
  }[];
}

export interface PolicyObject {
  readonly kind: string;
  readonly name: string;
  readonly role?: string;
  readonly spec: Record<string, unknown>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly ready?: boolean;
  readonly readyMessage?: string;
  /** Who wrote its spec last. */
  readonly managers: readonly string[];
}

export interface ReportFacts {
  readonly count: number;
  readonly newest?: Date;
}

export interface ExceptionObject {
  readonly name: string;
  readonly policies: readonly string[];
}

export interface RegistryFacts {
  readonly host: string;
  /** The repository that was asked about, where its name holds no wildcard. */
  readonly repository?: string;
  readonly trouble?: RegistryTrouble;
  readonly message?: string;
}

/** The findings of a fact that is there, else that it could not be seen. */
export function look<T>(id: string, asked: Asked<T>, then: (known: T) => Finding | Finding[]): Finding[] {
  if ("unknown" in asked) return [finding("unknown", id, asked.unknown, asked.fix)];
  return [then(asked.known)].flat();
}

export function known<T>(asked: Asked<T>): T | undefined {
  return "known" in asked ? asked.known : undefined;
}
