import { flagValue, WEAKENING_FLAGS } from "../../../components/kyverno/flags";
import { type DeploymentFacts, type Facts, known, look, type PodFacts } from "../facts";
import { type Finding, finding, ok } from "../finding";
import { reapplyRelease, restart, restoreKyverno } from "../fixes";

const COMPONENTS = ["admission-controller", "background-controller", "cleanup-controller", "reports-controller"];
/** Kyverno takes its webhooks for resources away when it has not heard itself for this long. */
const HEARTBEAT_SECONDS = 100;
const MANY_RESTARTS = 5;

export function kyvernoChecks(facts: Facts): Finding[] {
  return [
    ...look("kyverno.deployments", facts.deployments, (deployments) =>
      deployments.length === 0
        ? noDeployments(facts)
        : COMPONENTS.flatMap((component) =>
            deployment(
              facts,
              component,
              deployments.find((one) => one.component === component),
            ),
          ),
    ),
    ...look("kyverno.flags", facts.deployments, (deployments) => flags(facts, deployments)),
    ...runningChecks(facts),
  ];
}

/** Whether it is well, whoever installed it. */
export function runningChecks(facts: Facts): Finding[] {
  return [
    ...look("kyverno.pods", facts.pods, (pods) => podFindings(facts, pods)),
    ...look("kyverno.heartbeat", facts.heartbeat, (last) => heartbeat(facts, last)),
  ];
}

function noDeployments(facts: Facts): Finding {
  const evidence = `namespace ${facts.namespace} has no Deployment of Kyverno's; if it is elsewhere, name it with --namespace`;
  return finding("problem", "kyverno.deployments", evidence, restoreKyverno(facts));
}

function deployment(facts: Facts, component: string, found: DeploymentFacts | undefined): Finding[] {
  const id = `kyverno.${component}`;
  if (!found)
    return [
      finding(
        "problem",
        id,
        `no Deployment of the ${component} in namespace ${facts.namespace}`,
        reapplyRelease(facts),
      ),
    ];
  const { name, wanted, available, image } = found;
  const { kubectl } = facts.commands;
  const posture = facts.stack?.resolved.posture.kyverno;
  const replicas = component === "admission-controller" ? (posture?.replicas ?? 1) : 1;
  const evidence = `${name}: ${available} of ${wanted} available, ${image}`;
  const scale = `${kubectl} -n ${facts.namespace} scale deployment ${name} --replicas=${replicas}`;
  if (wanted === 0) return [finding("problem", id, `${evidence}: scaled to nothing`, scale)];
  if (available === 0) return [finding("problem", id, evidence, restart(facts, name))];
  if (posture && !image.includes(`:${posture.appVersion}`))
    return [
      finding("problem", id, `${evidence}; the stack wants Kyverno ${posture.appVersion}`, restoreKyverno(facts)),
    ];
  if (available < wanted) return [finding("warning", id, evidence, restart(facts, name))];
  if (posture && component === "admission-controller" && wanted !== replicas)
    return [finding("warning", id, `${evidence}; the stack wants ${replicas}`, scale)];
  return [ok(id, evidence)];
}

function flags(facts: Facts, deployments: readonly DeploymentFacts[]): Finding[] {
  const admission = deployments.find(({ component }) => component === "admission-controller");
  if (!admission) return [];
  const set = WEAKENING_FLAGS.filter(({ flag, bad }) => flagValue(admission.args, flag) === bad);
  if (set.length === 0) return [ok("kyverno.flags", "no flag weakens it")];
  return set.map(({ flag, bad, why }) =>
    finding("problem", "kyverno.flags", `${admission.name} runs with --${flag}=${bad}: ${why}`, reapplyRelease(facts)),
  );
}

function podFindings(facts: Facts, pods: readonly PodFacts[]): Finding[] {
  const { kubectl, stackFlags } = facts.commands;
  const troubled = pods.flatMap(({ name, waiting, restarts, lastEnd }) => {
    if (waiting.length > 0)
      return [
        finding(
          "warning",
          "kyverno.pods",
          `${name} waits: ${waiting.join(", ")}`,
          `${kubectl} -n ${facts.namespace} describe pod ${name}`,
        ),
      ];
    if (lastEnd === "OOMKilled")
      return [
        finding(
          "warning",
          "kyverno.pods",
          `${name} was killed for its memory, ${restarts} restarts: raise kyverno.memoryLimit`,
          `pulumi config set --path image-signing-guard:kyverno.memoryLimit 1Gi ${stackFlags}`,
        ),
      ];
    return restarts >= MANY_RESTARTS
      ? [
          finding(
            "warning",
            "kyverno.pods",
            `${name} has restarted ${restarts} times`,
            `${kubectl} -n ${facts.namespace} logs ${name} --previous`,
          ),
        ]
      : [];
  });
  return troubled.length > 0 ? troubled : [ok("kyverno.pods", `${pods.length} pods, none in trouble`)];
}

function heartbeat(facts: Facts, last: Date | undefined): Finding[] {
  const admission = (known(facts.deployments) ?? []).find(({ component }) => component === "admission-controller");
  // Without a running controller there is nothing to beat, and that has a finding of its own.
  if (!admission || admission.available === 0) return [];
  const id = "kyverno.heartbeat";
  if (!last) return [finding("problem", id, "it has never heard itself answer", restart(facts, admission.name))];
  const age = Math.round((facts.now.getTime() - last.getTime()) / 1000);
  const evidence = `it last heard itself answer ${age} s ago`;
  return [
    age <= HEARTBEAT_SECONDS ? ok(id, evidence) : finding("problem", id, evidence, restart(facts, admission.name)),
  ];
}
