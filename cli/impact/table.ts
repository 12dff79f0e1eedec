import { formatTable } from "../terminal/table";
import type { Effect, ImpactResult, Verdict } from "./result";

const NAMES: Record<Verdict, string> = {
  refused: "refused",
  cannotTell: "cannot tell",
  bypassed: "bypassed",
  reported: "reported",
  admitted: "admitted",
};

/** The answer for a person: first how ready, then what is in the way. */
export function describeImpact(result: ImpactResult, all: boolean): string {
  const shown = result.findings.filter(({ verdict }) => all || verdict !== "admitted");
  const parts = [headline(result)];
  if (shown.length > 0) {
    const header = ["VERDICT", "IMAGE", "DIGEST", "NAMESPACE", "WORKLOAD", "WHEN", "REASON", "DETAIL"];
    parts.push(formatTable(header, shown.map(row)));
  }
  const hidden = result.findings.length - shown.length;
  if (hidden > 0) parts.push(`${hidden} would be admitted (--all lists them).`);
  if (result.notRead.length > 0) {
    parts.push(
      formatTable(
        ["NOT READ", "WHY"],
        result.notRead.map(({ resource, message }) => [resource, message]),
      ),
    );
  }
  if (result.notes.length > 0) parts.push(result.notes.map((note) => `note: ${note}`).join("\n"));
  return parts.join("\n\n");
}

function headline({ stack, readiness, exitCode }: ImpactResult): string {
  const { percent, workloads, ready, images } = readiness;
  const what = `${stack}, were it enforced now: ${percent}% ready, ${ready} of ${workloads} workloads start as they are.`;
  const total = (["refused", "cannotTell", "bypassed", "reported"] as const)
    .filter((verdict) => images[verdict] > 0)
    .map((verdict) => `${images[verdict]} ${NAMES[verdict]}`);
  const gate = ["Nothing would be refused.", "Something would be refused.", "That nothing is refused can't be told."];
  return `${what}\n${[gate[exitCode], total.join(", ")].filter(Boolean).join(" ")}`;
}

function row({ verdict, image, digest, runningDigests, namespace, owner, uses, reason, detail }: Effect): string[] {
  return [
    NAMES[verdict],
    image.replace(/@sha256:[0-9a-f]{64}$/, ""),
    (digest ?? runningDigests[0])?.slice("sha256:".length, "sha256:".length + 12) ?? "-",
    namespace,
    `${owner.kind}/${owner.name}`,
    [...new Set(uses.map(useText))].join(", "),
    reason,
    detail,
  ];
}

function useText({ when, kind, count, names }: Effect["uses"][number]): string {
  if (when === "running") return count === 1 ? "running" : `running x${count}`;
  return when === "rollback" ? `rollback to ${count === 1 ? names[0] : `${count} ${kind}s`}` : when;
}
