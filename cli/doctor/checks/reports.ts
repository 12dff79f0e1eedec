import { flagValue } from "../../../components/kyverno/flags";
import { type Facts, known, look, type ReportFacts } from "../facts";
import { type Finding, finding, ok } from "../finding";
import { restart } from "../fixes";

const HOUR_MS = 3_600_000;

export function reportChecks(facts: Facts): Finding[] {
  return look("reports.newest", facts.reports, (reports) => newest(facts, reports));
}

/** Kyverno scans everything every hour; whatever has not been written for two hours was not. */
function newest(facts: Facts, { count, newest: last }: ReportFacts): Finding {
  const id = "reports.newest";
  const deployment = (known(facts.deployments) ?? []).find(({ component }) => component === "reports-controller");
  const fix = restart(facts, deployment?.name ?? `${facts.release}-reports-controller`);
  if (deployment && flagValue(deployment.args, "backgroundScan") === "false")
    return finding("warning", id, "background scans are switched off: running pods are not reported");
  if (!last)
    return finding("note", id, "there is no report yet; the first comes about a minute after the first policy", fix);
  const age = facts.now.getTime() - last.getTime();
  const evidence = `${count} reports, the newest written ${describeAge(age)} ago`;
  return age <= 2 * HOUR_MS ? ok(id, evidence) : finding("warning", id, `${evidence}: nothing scans any more`, fix);
}

function describeAge(ms: number): string {
  const minutes = Math.max(0, Math.round(ms / 60_000));
  return minutes < 120 ? `${minutes} min` : `${Math.round(minutes / 60)} h`;
}
