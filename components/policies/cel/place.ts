import type { Json } from "../../kubernetes/manifest";
import { text } from "../../posture/cel";
import { SKIP_ANNOTATION } from "../bypassTerms";
import { SUFFIX } from "../names";

export type Side = "object" | "oldObject";

/** Where a request holds a pod, for expressions in CEL. */
export interface CelPlace {
  /** What stands behind the name of a policy that looks there. */
  readonly suffix: string;
  readonly rules: readonly Json[];
  /** The pod: metadata and spec. */
  readonly pod: (side: Side) => string;
  /** Where the pod stands in the object, as a JSON pointer. */
  readonly pointer: string;
  /** Fields of the pod's spec with containers that are judged. */
  readonly fields: readonly string[];
  /** The images that are judged, as they are written. */
  readonly images: (side: Side) => string;
  /** The side whose annotations say whether a bypass runs. */
  readonly bypassIn: Side;
}

/** Two rules where one would do: of a single one for pods Kyverno makes others, for the kinds that have their own policy. */
function rules(apiGroup: string, resources: readonly string[]): Json[] {
  return ["CREATE", "UPDATE"].map((operation) => ({
    apiGroups: [apiGroup],
    apiVersions: ["v1"],
    operations: [operation],
    resources: [...resources],
    scope: "Namespaced",
  }));
}

const itself = (side: Side) => side;
const FIELDS = ["containers", "initContainers", "ephemeralContainers"];

function imagesIn(pod: string, fields: readonly string[]): string {
  return fields.map((field) => `${pod}.?spec.?${field}.orValue([]).map(c, c.?image.orValue(''))`).join(" + ");
}

export const PODS: CelPlace = {
  suffix: SUFFIX.pods,
  rules: rules("", ["pods"]),
  pod: itself,
  pointer: "''",
  fields: FIELDS,
  images: (side) => imagesIn(side, FIELDS),
  bypassIn: "object",
};

const template = (side: Side) => `${side}.?spec.?jobTemplate.?spec.?template.or(${side}.?spec.?template).orValue({})`;

export const TEMPLATES: CelPlace = {
  suffix: SUFFIX.templates,
  rules: [
    ...rules("apps", ["daemonsets", "deployments", "replicasets", "statefulsets"]),
    ...rules("batch", ["cronjobs", "jobs"]),
    ...rules("", ["replicationcontrollers"]),
  ],
  pod: template,
  pointer: "(object.?spec.?jobTemplate.hasValue() ? '/spec/jobTemplate/spec/template' : '/spec/template')",
  fields: FIELDS,
  images: (side) => imagesIn(template(side), FIELDS),
  bypassIn: "object",
};

/** Debug containers that were there before are none of the request's affair. */
export const DEBUG: CelPlace = {
  suffix: SUFFIX.debug,
  rules: rules("", ["pods/ephemeralcontainers"]).slice(1),
  pod: itself,
  pointer: "''",
  fields: ["ephemeralContainers"],
  images: (side) => {
    const all = `${side}.?spec.?ephemeralContainers.orValue([])`;
    const isOld =
      "oldObject.?spec.?ephemeralContainers.orValue([]).exists(o, o.name == c.name && o.?image == c.?image)";
    return `${all}.filter(c, !${isOld}).map(c, c.?image.orValue(''))`;
  },
  bypassIn: "oldObject",
};

/** An annotation of the pod or template; '' if absent. */
export function podAnnotation(place: CelPlace, side: Side, name: string): string {
  return `${place.pod(side)}.?metadata.?annotations[?${text(name)}].orValue('')`;
}

/** References of images that are mounted as volumes. */
export function imageVolumes(place: CelPlace, side: Side): string {
  return `${place.pod(side)}.?spec.?volumes.orValue([]).map(v, v.?image.?reference.orValue('')).filter(r, r != '')`;
}

/** Everything that a pod runs or mounts, in order. */
export function imageTexts(place: CelPlace, side: Side): string {
  return `${place.images(side)} + ${imageVolumes(place, side)}`;
}

/** False on an update that leaves the images alone: who labels or scales an old workload is not deploying an image. */
export function imagesAreNew(place: CelPlace): string {
  return `request.operation == 'CREATE' || ${imageTexts(place, "object")} != ${imageTexts(place, "oldObject")}`;
}

/** Whether a pod asks for a bypass at all. */
export function asksForBypass(place: CelPlace): string {
  return `${podAnnotation(place, place.bypassIn, SKIP_ANNOTATION)} != ''`;
}
