import { unusable } from "../../../components/kyverno/installed/findings";
import { weigh } from "../../../components/kyverno/installed/judge";
import { type Facts, look } from "../facts";
import { type Finding, finding, ok } from "../finding";

/** A Kyverno that somebody else runs: the same list as `up` looks at before it makes anything. */
export function installationChecks(facts: Facts): Finding[] {
  const { stack, installation } = facts;
  if (!stack || !installation) return [];
  return look("installation.version", installation, (seen) => {
    const { posture } = stack.resolved;
    const none = unusable(seen, posture);
    if (none) return finding("problem", "installation.version", none.found, none.fix);
    const found = weigh(seen, posture, stack.compiled.trust).map(
      ({ finding: name, evidence, undoes, mend, ...rest }) => {
        const reason = rest.reason === undefined ? "" : ` (acknowledged: ${rest.reason})`;
        const severity = rest.isRefused ? "problem" : rest.reason === undefined ? "warning" : "note";
        return finding(severity, `installation.${name ?? "strength"}`, `${evidence}: ${undoes}${reason}`, mend);
      },
    );
    const version = seen.controllers.find(({ component }) => component === "admission-controller")?.version;
    return [ok("installation.version", `Kyverno ${version} in ${seen.namespace}, run by somebody else`), ...found];
  });
}
