import { type Facts, look } from "../facts";
import { type Finding, finding, ok } from "../finding";

const SKEW_NOTED = 5;
const SKEW_BAD = 60;
/** The newest minor version that this project's own tests run Kyverno 1.10.7 on. */
const TESTED_MINOR = 34;

export function clusterChecks(facts: Facts): Finding[] {
  return look("cluster.reachable", facts.cluster, ({ server, version, skewSeconds }) => [
    ok("cluster.reachable", `${server} answers`),
    versionFinding(version),
    ...(skewSeconds === undefined ? [] : [clock(skewSeconds)]),
  ]);
}

function versionFinding(version: string): Finding {
  const minor = Number(/^v?1\.(\d+)/.exec(version)?.[1] ?? Number.NaN);
  const id = "cluster.version";
  if (minor > TESTED_MINOR)
    return finding(
      "note",
      id,
      `Kubernetes ${version} is newer than what is tested with Kyverno 1.10.7 (1.${TESTED_MINOR})`,
    );
  return ok(id, `Kubernetes ${version}`);
}

/** Bypasses end and certificates begin by the clock. */
function clock(skewSeconds: number): Finding {
  const id = "cluster.clock";
  const size = Math.abs(skewSeconds);
  const evidence = `the API server's clock is ${size} s ${skewSeconds > 0 ? "ahead of" : "behind"} this machine's`;
  if (size <= SKEW_NOTED) return ok(id, evidence);
  const fix = "timedatectl set-ntp true   # on whichever of the two is wrong";
  return finding(size > SKEW_BAD ? "problem" : "warning", id, evidence, fix);
}
