import { UncoveredAction } from "../../args";
import type { Bypass, PolicyPlan, Resolved } from "../../posture/types";
import { bypassDoesNotRun, coverAdvice, SPELLING_ADVICE, VOLUME_ADVICE } from "../words";
import { bypassRuns, lists } from "./bypassTerms";
import { joined, type Validation } from "./celPolicy";
import { type CelPlace, DEBUG, imageVolumes } from "./place";
import { distinct, malformedImages, shown, spelledOtherwise, uncoveredImages } from "./references";

/** What a policy that judges is made from. */
export interface Context {
  readonly plan: PolicyPlan;
  readonly resolved: Resolved;
  readonly place: CelPlace;
  readonly bypassable: boolean;
}

/** A variable, evaluated once where something asks for it; its name alone stands in each expression that needs it. */
export interface Variable {
  readonly name: string;
  readonly expression: string;
}

/** Says in a message why an annotated workload is judged all the same. */
export function endedBypass({ bypassable }: Context): { cel: string }[] {
  return bypassable ? [{ cel: "variables.ended" }] : [];
}

/** What verification does not see: images that no signer covers, or that are spelled so that none seems to; image volumes. */
export function sourcesOf(context: Context): { variables: Variable[]; validations: Validation[] } {
  const { place } = context;
  const found: (Variable & { readonly before: string; readonly behind: string })[] = [
    {
      name: "malformed",
      expression: malformedImages("variables.images"),
      before: "invalid reference format: ",
      behind: ". Write REGISTRY/REPOSITORY:TAG or REGISTRY/REPOSITORY@DIGEST.",
    },
    context.plan.uncovered === UncoveredAction.Refuse ? uncovered(context) : spelled(context),
    ...(place === DEBUG
      ? []
      : [
          {
            name: "volumes",
            expression: imageVolumes(place, "object"),
            before: "image volumes can't be verified: ",
            behind: `. ${VOLUME_ADVICE}`,
          },
        ]),
  ];
  return {
    variables: [
      { name: "images", expression: distinct(place.images("object")) },
      ...bypassVariables(context),
      ...found.map(({ name, expression }) => ({ name, expression })),
    ],
    validations: found.map(({ name, before, behind }) => ({
      expression: `${context.bypassable ? "variables.bypassed || " : ""}size(variables.${name}) == 0`,
      messageExpression: joined(before, { cel: shown(`variables.${name}`) }, behind, ...endedBypass(context)),
    })),
  };
}

function bypassVariables({ bypassable, plan, place, resolved }: Context): Variable[] {
  if (!bypassable) return [];
  const message = ` -- ${bypassDoesNotRun(resolved.posture.bypass as Bypass)}`;
  return [
    { name: "bypassed", expression: bypassRuns(plan.role, place) },
    { name: "ended", expression: `${lists(plan.role, place)} ? ${joined(message)} : ''` },
  ];
}

function covered({ posture }: Resolved): string[] {
  return [...posture.images, ...posture.exempt].flatMap(({ repositories }) => repositories);
}

function uncovered({ resolved }: Context) {
  const repositories = covered(resolved);
  return {
    name: "uncovered",
    expression: uncoveredImages(repositories, "variables.images"),
    before: "no signer is configured for ",
    behind: `. ${coverAdvice(repositories, resolved.posture.runbookUrl)}`,
  };
}

function spelled({ resolved }: Context) {
  return {
    name: "misspelt",
    expression: spelledOtherwise(covered(resolved), "variables.images"),
    before: "",
    behind: ` ${SPELLING_ADVICE}`,
  };
}
