import type { V1Container, V1Pod } from "@kubernetes/client-node";
import type { ToolName } from "./build";

/** Which containers are really run, by which program. */
export interface RunRule {
  image: RegExp;
  binary: ToolName;
  /** Only one pod of this name runs at a time, since they would fight for a port; the others only look ready. */
  slot?: string;
  /** Runs in a network of its own where the machine allows it, and so without a slot. */
  isolated?: true;
}

/** Kyverno listens on this port whatever one asks. */
export const webhookPort = 9443;

/** The cleanup controller is left out: it wants the admission controller's port. */
export const kyvernoRules: readonly RunRule[] = [
  { image: /(^|\/)kyverno\/kyverno[:@]/, binary: "kyverno", slot: "webhook", isolated: true },
  { image: /(^|\/)kyverno\/reports-controller[:@]/, binary: "reports-controller", slot: "reports" },
  {
    image: /(^|\/)kyverno\/background-controller[:@]/,
    binary: "background-controller",
    slot: "background",
    isolated: true,
  },
];

export type PodPlan =
  | { kind: "run"; container: V1Container; rule: RunRule }
  /** A Job's kubectl script. */
  | { kind: "script"; container: V1Container }
  | { kind: "complete" }
  | { kind: "lookReady" };

export function planPod(pod: V1Pod, rules: readonly RunRule[]): PodPlan {
  const containers = pod.spec?.containers ?? [];
  if (pod.metadata?.ownerReferences?.some((owner) => owner.kind === "Job")) {
    // By what it calls, not by the image's name: clean-up jobs use whichever image has kubectl and a shell.
    const script = containers.find((c) => c.command?.some((word) => word.includes("kubectl")));
    return script ? { kind: "script", container: script } : { kind: "complete" };
  }
  for (const container of containers) {
    const rule = rules.find((r) => r.image.test(container.image ?? ""));
    if (rule) return { kind: "run", container, rule };
  }
  return { kind: "lookReady" };
}

/** Where a container's paths really are: mount path -> folder or file. */
export type Mounts = Readonly<Record<string, string>>;

/** Moves a path, or the value of a --flag=path, under its mount. */
export function rewritePath(value: string, mounts: Mounts): string {
  const [, flag = "", target = value] = value.match(/^(--?[\w-]+=)(.*)$/s) ?? [];
  for (const mount of Object.keys(mounts).sort((a, b) => b.length - a.length)) {
    if (target === mount || target.startsWith(`${mount.replace(/\/$/, "")}/`)) {
      return `${flag}${mounts[mount]}${target.slice(mount.replace(/\/$/, "").length)}`;
    }
  }
  return value;
}

/** $(NAME) as Kubernetes replaces it: unknown names stay, $$( is an escape. */
export function expand(value: string, env: Readonly<Record<string, string | undefined>>): string {
  return value.replace(/\$(\$\(\w+\))|\$\((\w[\w.-]*)\)/g, (all, escaped: string | undefined, name: string) =>
    escaped !== undefined ? escaped : (env[name] ?? all),
  );
}

/** What the downward API says of a field; undefined when it is not known here. */
export function fieldOf(pod: V1Pod, path: string): string | undefined {
  const keyed = path.match(/^metadata\.(labels|annotations)\['(.+)'\]$/);
  if (keyed) return pod.metadata?.[keyed[1] as "labels" | "annotations"]?.[keyed[2] as string] ?? "";
  const fields: Record<string, string | undefined> = {
    "metadata.name": pod.metadata?.name,
    "metadata.namespace": pod.metadata?.namespace,
    "metadata.uid": pod.metadata?.uid,
    "spec.nodeName": pod.spec?.nodeName,
    "spec.serviceAccountName": pod.spec?.serviceAccountName,
    "status.podIP": pod.status?.podIP,
    "status.hostIP": pod.status?.hostIP,
  };
  return fields[path];
}

const metricsFlag = "--metricsPort=";

/** The port that the container's arguments give to its metrics. */
export const metricsPortOf = (args: readonly string[] = []): number | undefined => {
  const flag = args.find((arg) => arg.startsWith(metricsFlag));
  return flag === undefined ? undefined : Number(flag.slice(metricsFlag.length));
};

/** The container's arguments as the real process gets them. */
export const processArgs = (args: readonly string[], kubeconfig: string, metricsPort: number): string[] => [
  ...args.map((arg) => (arg.startsWith(metricsFlag) ? `${metricsFlag}${metricsPort}` : arg)),
  `--kubeconfig=${kubeconfig}`,
];
