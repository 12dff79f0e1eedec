import * as fs from "node:fs";
import { deriveSchema, SCHEMA_FILE, schemaText } from "./schema";

/** `npm run schema`: after a change of the component's arguments or outputs, or of their comments. */
async function main(): Promise<void> {
  fs.writeFileSync(SCHEMA_FILE, schemaText(await deriveSchema()));
  console.log(`wrote ${SCHEMA_FILE}`);
}

void main();
