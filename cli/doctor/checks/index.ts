import type { Facts } from "../facts";
import type { Finding } from "../finding";
import { backstopChecks } from "./backstop";
import { clusterChecks } from "./cluster";
import { engineChecks } from "./engine";
import { exceptionChecks } from "./exceptions";
import { filterChecks } from "./filters";
import { installationChecks } from "./installation";
import { kyvernoChecks, runningChecks } from "./kyverno";
import { policyChecks } from "./policies";
import { registryChecks } from "./registries";
import { releaseChecks } from "./release";
import { reportChecks } from "./reports";
import { trustChecks } from "./trust";
import { webhookChecks } from "./webhooks";

/** Checks that need the cluster are left out where it can't be reached: they could only repeat that. */
export function allChecks(facts: Facts): Finding[] {
  const always = [...engineChecks(facts), ...clusterChecks(facts), ...registryChecks(facts)];
  if ("unknown" in facts.cluster) return always;
  return [
    ...always,
    // Of a Kyverno that somebody else runs it counts what the policies rest on, not whether it is as we would have it.
    ...(facts.installation
      ? [...installationChecks(facts), ...runningChecks(facts)]
      : [...releaseChecks(facts), ...kyvernoChecks(facts), ...filterChecks(facts), ...exceptionChecks(facts)]),
    ...webhookChecks(facts),
    ...policyChecks(facts),
    ...backstopChecks(facts),
    ...trustChecks(facts),
    ...reportChecks(facts),
  ];
}
