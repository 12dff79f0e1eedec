import { type Facts, known, look, type ReleaseFacts } from "../facts";
import { type Finding, finding, ok } from "../finding";
import { restoreKyverno } from "../fixes";

export function releaseChecks(facts: Facts): Finding[] {
  return look("release.status", facts.releases, (releases) => {
    const own = releases.filter(({ name }) => name === facts.release).sort((a, b) => b.revision - a.revision);
    const [latest] = own;
    if (!latest) return [absent(facts)];
    return [status(facts, latest), ...version(facts, own.find((release) => release.status === "deployed") ?? latest)];
  });
}

function absent(facts: Facts): Finding {
  const runs = (known(facts.deployments) ?? []).length > 0;
  const where = `no Helm release ${facts.release} in namespace ${facts.namespace}`;
  return runs
    ? finding("note", "release.status", `${where}: this Kyverno was installed in another way`)
    : finding("problem", "release.status", `${where}: Kyverno is not installed`, restoreKyverno(facts));
}

function status(facts: Facts, { status: word, revision, secret, name }: ReleaseFacts): Finding {
  const id = "release.status";
  const evidence = `release ${name} revision ${revision} is ${word}`;
  if (word === "deployed") return ok(id, evidence);
  if (word.startsWith("pending-") || word === "uninstalling")
    return finding(
      "problem",
      id,
      `${evidence}: an operation was interrupted, and Helm refuses every other one until its record is gone`,
      `${facts.commands.kubectl} -n ${facts.namespace} delete secret ${secret}`,
    );
  return finding("problem", id, evidence, restoreKyverno(facts));
}

function version(facts: Facts, { chart, appVersion, name }: ReleaseFacts): Finding[] {
  const wanted = facts.stack?.resolved.posture.kyverno;
  if (!chart || !wanted) return chart ? [ok("release.version", `${name}: chart ${chart}, Kyverno ${appVersion}`)] : [];
  const isWanted = chart === `kyverno-${wanted.chartVersion}` && appVersion === wanted.appVersion;
  const evidence = `chart ${chart}, Kyverno ${appVersion}`;
  return [
    isWanted
      ? ok("release.version", evidence)
      : finding(
          "problem",
          "release.version",
          `${evidence}; the stack wants chart kyverno-${wanted.chartVersion}, Kyverno ${wanted.appVersion}`,
          restoreKyverno(facts),
        ),
  ];
}
