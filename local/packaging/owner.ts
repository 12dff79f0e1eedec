import * as fs from "node:fs";
import * as path from "node:path";
import { PROJECT } from "./schema";

/** Where the account stands that the project lives under. */
export const OWNED = [
  "package.json",
  "schema.json",
  ".github/CODEOWNERS",
  "docs/languages.md",
  "docs/registry/_index.md",
  "docs/registry/installation-configuration.md",
  "local/packaging/schema.ts",
] as const;

/** The account before a project or team of it; other words that look like it (OWNER/REPO in a hint) are not meant. */
const PLACES = [
  /(?<=github(?:usercontent)?\.com\/)([A-Za-z0-9-]+)(?=\/image-signing-guard)/g,
  /(?<=\s@)([A-Za-z0-9-]+)(?=\/(?:maintainers|security)\b)/g,
  /(?<="author": ")([A-Za-z0-9-]+)(?= \()/g,
  /(?<="author": "[A-Za-z0-9-]+ \(https:\/\/github\.com\/)([A-Za-z0-9-]+)(?=\))/g,
  /(?<="?publisher"?: ")([A-Za-z0-9-]+)(?=")/g,
];

/** Every account that a text names as the project's. */
export const ownersIn = (text: string): string[] => PLACES.flatMap((place) => text.match(place) ?? []);

export const withOwner = (text: string, owner: string): string =>
  PLACES.reduce((changed, place) => changed.replace(place, owner), text);

function main(): void {
  const [owner = ""] = process.argv.slice(2);
  if (!/^[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})$/.test(owner)) {
    process.stderr.write(`error: "${owner}" is no GitHub account; npm run owner NAME\n`);
    process.exitCode = 1;
    return;
  }
  for (const name of OWNED) {
    const file = path.join(PROJECT, name);
    fs.writeFileSync(file, withOwner(fs.readFileSync(file, "utf8"), owner));
  }
  process.stdout.write(`${OWNED.length} files name ${owner} now\n`);
}

if (require.main === module) main();
