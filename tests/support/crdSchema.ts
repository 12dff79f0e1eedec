import * as fs from "node:fs";
import * as path from "node:path";
import { parse } from "yaml";
import type { Json } from "../../components/kubernetes/manifest";

/** Names a folder with Kyverno's chart 3.0.9. */
export const CHART_VARIABLE = "IMAGE_SIGNING_GUARD_KYVERNO_CHART";

/** The OpenAPI schema of the ClusterPolicy v1 in a chart's own definitions, or why there is none. */
export function clusterPolicySchema(folder: string | undefined): { schema: Json } | { reason: string } {
  if (folder === undefined) return { reason: `${CHART_VARIABLE} names no chart folder` };
  const chart = parse(fs.readFileSync(path.join(folder, "Chart.yaml"), "utf8")) as { version: string };
  const file = path.join(folder, "templates/crds/crds.yaml");
  if (chart.version !== "3.0.9" || !fs.existsSync(file))
    return { reason: `${folder} is chart ${chart.version}, not 3.0.9` };
  const text = fs
    .readFileSync(file, "utf8")
    .split("\n")
    .filter((line) => !line.includes("{{"))
    .join("\n");
  const document = text.split(/^---$/m).find((part) => part.includes("name: clusterpolicies.kyverno.io\n"))!;
  const definition = parse(document) as { spec: { versions: { name: string; schema: { openAPIV3Schema: Json } }[] } };
  return { schema: definition.spec.versions.find(({ name }) => name === "v1")!.schema.openAPIV3Schema };
}

/** Where a value departs from a schema. Unlike the API server, which drops unknown fields, it takes them for errors. */
export function departures(value: unknown, schema: Json, at = ""): string[] {
  if (schema["x-kubernetes-preserve-unknown-fields"]) return [];
  const wrong = typeError(value, schema);
  if (wrong) return [`${at}: ${wrong}`];
  const limits = limitErrors(value, schema).map((what) => `${at}: ${what}`);
  if (Array.isArray(value))
    return [...limits, ...value.flatMap((item, index) => departures(item, schema.items as Json, `${at}[${index}]`))];
  if (value === null || typeof value !== "object") return limits;
  // Kubernetes checks the object's own metadata.
  if (at === ".metadata") return limits;
  const properties = (schema.properties ?? {}) as Record<string, Json>;
  const others = schema.additionalProperties as Json | undefined;
  const missing = ((schema.required ?? []) as string[]).filter((key) => !(key in value));
  return [
    ...limits,
    ...missing.map((key) => `${at}.${key}: is required`),
    ...Object.entries(value).flatMap(([key, child]) => {
      const inner = properties[key] ?? others;
      return inner ? departures(child, inner, `${at}.${key}`) : [`${at}.${key}: is unknown`];
    }),
  ];
}

function typeError(value: unknown, { type }: Json): string | undefined {
  const actual = Array.isArray(value)
    ? "array"
    : value === null
      ? "null"
      : Number.isInteger(value)
        ? "integer"
        : typeof value;
  const fits = type === undefined || type === actual || (type === "number" && actual === "integer");
  return fits ? undefined : `is of type ${actual}, not ${type}`;
}

function limitErrors(value: unknown, schema: Json): string[] {
  const number = value as number;
  const text = value as string;
  return [
    ...(schema.enum && !(schema.enum as unknown[]).includes(value) ? [`is not one of ${schema.enum}`] : []),
    ...(schema.minimum !== undefined && number < (schema.minimum as number) ? [`is below ${schema.minimum}`] : []),
    ...(schema.maximum !== undefined && number > (schema.maximum as number) ? [`is above ${schema.maximum}`] : []),
    ...(schema.maxLength !== undefined && text.length > (schema.maxLength as number) ? ["is too long"] : []),
  ];
}
