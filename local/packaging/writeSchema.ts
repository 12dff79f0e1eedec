import * as fs from "node:fs";
import { deriveSchema, PLUGIN_MANIFEST, PROJECT_MANIFEST, readJson, SCHEMA_FILE, schemaText } from "./schema";
import { STACK_SCHEMA_FILE, stackSchemaText } from "./stackSchema";

/** `npm run schema`: after a change of the component's arguments or outputs, of their comments, or of the version. */
async function main(): Promise<void> {
  const { version, description } = readJson(PROJECT_MANIFEST);
  const plugin = { ...readJson(PLUGIN_MANIFEST), version, description };
  fs.writeFileSync(PLUGIN_MANIFEST, `${JSON.stringify(plugin, undefined, 2)}\n`);
  fs.writeFileSync(SCHEMA_FILE, schemaText(await deriveSchema()));
  fs.writeFileSync(STACK_SCHEMA_FILE, stackSchemaText());
  console.log(`wrote ${SCHEMA_FILE} and ${STACK_SCHEMA_FILE}`);
}

void main();
