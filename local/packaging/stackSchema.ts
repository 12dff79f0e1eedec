import * as path from "node:path";
import { z } from "zod";
import { guardSchema } from "../../components/schema";
import { CONFIG_NAMESPACE } from "../../components/settings";
import { PROJECT } from "./schema";

export const STACK_SCHEMA_FILE = path.join(PROJECT, "stack.schema.json");

type Json = Record<string, unknown>;

/** What the engine decrypts; any setting may be one. */
const SECURE = { type: "object", properties: { secure: { type: "string" } }, required: ["secure"] };

/**
 * JSON Schema of `Pulumi.<stack>.yaml` for editors, which complete and check by it while one writes. From the same schema
 * by which the settings are checked; what only code can check (contradictions, certificates) an editor does not see.
 */
export function stackSchema(): Json {
  const { properties, required } = z.toJSONSchema(guardSchema, { unrepresentable: "any", io: "input" }) as {
    properties: Record<string, Json>;
    required: string[];
  };
  const key = (name: string) => `${CONFIG_NAMESPACE}:${name}`;
  const settings = Object.entries(properties).map(([name, schema]) => [
    key(name),
    { description: schema.description, anyOf: [schema, SECURE] },
  ]);
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: `Stack config of ${CONFIG_NAMESPACE}`,
    type: "object",
    properties: {
      config: {
        type: "object",
        properties: Object.fromEntries(settings),
        required: required.map(key),
        // Other packages' settings are theirs; under our name only ours exist.
        patternProperties: { [`^${CONFIG_NAMESPACE}:(?!(?:${Object.keys(properties).join("|")})$)`]: false },
      },
    },
  };
}

export const stackSchemaText = (): string => `${JSON.stringify(stackSchema())}\n`;
