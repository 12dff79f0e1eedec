import * as fs from "node:fs";
import * as path from "node:path";
import { ComponentProvider } from "@pulumi/pulumi/provider/experimental/provider";
import { ImageSigningGuard } from "../../components/index";

export const PROJECT = path.join(__dirname, "..", "..");
/** What Pulumi runs for programs in other languages. Not the project's root: a Pulumi.yaml and a PulumiPlugin.yaml exclude each other. */
export const PLUGIN = path.join(PROJECT, "components");
export const PROJECT_MANIFEST = path.join(PROJECT, "package.json");
export const PLUGIN_MANIFEST = path.join(PLUGIN, "package.json");
export const SCHEMA_FILE = path.join(PROJECT, "schema.json");

export const readJson = (file: string) => JSON.parse(fs.readFileSync(file, "utf8")) as Record<string, unknown>;

/** One property of a Pulumi schema, as far as components use it. */
export interface PropertySchema {
  type?: string;
  $ref?: string;
  additionalProperties?: PropertySchema;
  items?: PropertySchema;
  plain?: boolean;
  description?: string;
}

type Properties = Record<string, PropertySchema>;

export interface TypeSchema {
  properties?: Properties;
  type: string;
  required?: string[];
  enum?: { name: string; description?: string; value: string | number }[];
}

export interface ResourceSchema {
  description?: string;
  properties: Properties;
  type: string;
  required: string[];
  inputProperties: Properties;
  requiredInputs: string[];
  isComponent: boolean;
}

export interface PackageSchema {
  name: string;
  version: string;
  description: string;
  language: Record<string, unknown>;
  types: Record<string, TypeSchema>;
  resources: Record<string, ResourceSchema>;
}

/** What Pulumi derives from the component's source, by the code that `pulumi package get-schema` runs in the plugin. */
export async function deriveSchema(): Promise<PackageSchema> {
  const provider = new ComponentProvider({
    name: "image-signing-guard",
    dirname: PLUGIN,
    components: [ImageSigningGuard],
  });
  return JSON.parse(await provider.getSchema()) as PackageSchema;
}

/** What the Pulumi Registry and the SDKs' own registries show, which the code that is analysed can't say. */
const METADATA = {
  displayName: "Image Signing Guard",
  publisher: "OWNER",
  keywords: ["category/infrastructure", "kind/component", "kubernetes", "kyverno", "sigstore", "cosign"],
  homepage: "https://github.com/OWNER/image-signing-guard",
  repository: "https://github.com/OWNER/image-signing-guard",
  license: "Apache-2.0",
  logoUrl: "https://raw.githubusercontent.com/OWNER/image-signing-guard/main/docs/images/logo.svg",
} as const;

/** Packages' names as each language writes them. */
const LANGUAGES: Readonly<Record<string, object>> = {
  csharp: { namespaces: { "image-signing-guard": "ImageSigningGuard", kubernetes: "Kubernetes" } },
  go: { importBasePath: "github.com/OWNER/image-signing-guard/sdk/go/imagesigningguard" },
  java: { buildFiles: "gradle" },
  python: { packageName: "pulumi_image_signing_guard", pyproject: { enabled: true } },
};

/** A schema without what only the registries want: what `pulumi package get-schema` prints. */
export function withoutMetadata(schema: Record<string, unknown>): Record<string, unknown> {
  const rest = Object.fromEntries(Object.entries(schema).filter(([key]) => !(key in METADATA)));
  const language = schema.language as Record<string, object>;
  const plain = (options: object, name: string) =>
    Object.fromEntries(Object.entries(options).filter(([key]) => !(key in (LANGUAGES[name] ?? {}))));
  return { ...rest, language: mapValues(language, plain) };
}

/** The text of schema.json: what `pulumi package get-schema` prints, and what registries show besides. */
export function schemaText({ name, version, description, language, types, resources }: PackageSchema): string {
  const printed = {
    ...{ name, version, description, ...METADATA },
    language: sorted(mapValues(language as Record<string, object>, (own, name) => ({ ...own, ...LANGUAGES[name] }))),
    config: {},
    types: sorted(mapValues(types, printType)),
    resources: sorted(mapValues(resources, printResource)),
  };
  return `${JSON.stringify(printed, undefined, 2)}\n`;
}

const printType = ({ properties, type, required, enum: members }: TypeSchema) => ({
  properties: properties && printProperties(properties),
  type,
  required: listed(required),
  enum: members?.map(({ name, description, value }) => ({ name, description, value })),
});

const printResource = (resource: ResourceSchema): ResourceSchema => ({
  description: resource.description,
  properties: printProperties(resource.properties),
  type: resource.type,
  required: resource.required,
  inputProperties: printProperties(resource.inputProperties),
  requiredInputs: resource.requiredInputs,
  isComponent: resource.isComponent,
});

const printProperties = (properties: Properties) => sorted(mapValues(properties, printProperty));

const printProperty = (property: PropertySchema): PropertySchema => ({
  type: property.type,
  $ref: property.$ref,
  additionalProperties: property.additionalProperties && printProperty(property.additionalProperties),
  items: property.items && printProperty(property.items),
  plain: property.plain,
  description: property.description,
});

const listed = <T>(list: T[] | undefined) => (list?.length ? list : undefined);

const sorted = <T>(map: Record<string, T>): Record<string, T> =>
  Object.fromEntries(Object.entries(map).sort(([a], [b]) => (a < b ? -1 : 1)));

const mapValues = <A, B>(map: Record<string, A>, change: (value: A, key: string) => B): Record<string, B> =>
  Object.fromEntries(Object.entries(map).map(([key, value]) => [key, change(value, key)]));
