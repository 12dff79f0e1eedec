import * as path from "node:path";
import { ComponentProvider } from "@pulumi/pulumi/provider/experimental/provider";
import { ImageSigningGuard } from "../../components";

export const PROJECT = path.join(__dirname, "..", "..");
export const SCHEMA_FILE = path.join(PROJECT, "schema.json");

/** One property of a Pulumi schema, as far as it is read here. */
export interface PropertySchema {
  type?: string;
  $ref?: string;
  description?: string;
  items?: PropertySchema;
  additionalProperties?: PropertySchema;
}

export interface TypeSchema {
  type: string;
  properties?: Record<string, PropertySchema>;
  required?: string[];
  enum?: { name: string; value: string | number; description?: string }[];
}

export interface PackageSchema {
  name: string;
  version: string;
  types: Record<string, TypeSchema>;
  resources: Record<
    string,
    {
      isComponent: boolean;
      inputProperties: Record<string, PropertySchema>;
      requiredInputs: string[];
      properties: Record<string, PropertySchema>;
    }
  >;
}

/** What Pulumi derives from the component's source, by the code that `pulumi package get-schema` runs in the plugin. */
export async function deriveSchema(): Promise<PackageSchema> {
  const provider = new ComponentProvider({
    name: "image-signing-guard",
    dirname: PROJECT,
    components: [ImageSigningGuard],
  });
  return canonical(JSON.parse(await provider.getSchema())) as PackageSchema;
}

/** The text of schema.json. */
export const schemaText = (schema: PackageSchema): string => `${JSON.stringify(schema, undefined, 2)}\n`;

/**
 * Sorted, without what the CLI leaves out when it prints a schema: empty values, and `optional` beside `required`. Equal
 * schemas have equal texts then, whether the plugin or the CLI gave them.
 */
export function canonical(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(canonical);
  if (node === null || typeof node !== "object") return node;
  return Object.fromEntries(
    Object.entries(node)
      .filter(([key, value]) => !(key === "optional" && value === true) && !isEmpty(value))
      .map(([key, value]) => [key, canonical(value)] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

function isEmpty(value: unknown): boolean {
  if (value === null || value === false || value === "") return true;
  return typeof value === "object" && Object.keys(value).length === 0;
}
