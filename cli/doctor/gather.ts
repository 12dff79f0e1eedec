import type { Progress } from "../terminal/progress";
import { type ClusterSurvey, clusterFacts } from "./clusterFacts";
import { engineFacts } from "./engineFacts";
import type { Facts } from "./facts";
import { registryFacts } from "./registryFacts";

export interface Survey extends ClusterSurvey {
  readonly now: Date;
  readonly progress: Progress;
}

/** Asks everybody, and never fails: what can't be seen is part of the answer. */
export async function gatherFacts(survey: Survey): Promise<Facts> {
  const { now, commands, namespace, release, stack, progress } = survey;
  progress.say("asking the registries and the engine");
  const outside = Promise.all([registryFacts(stack), engineFacts()]);
  progress.say("asking the cluster");
  const inside = await clusterFacts(survey);
  const [registries, engine] = await outside;
  progress.done();
  return { now, commands, namespace, release, ...(stack ? { stack } : {}), ...inside, registries, engine };
}
