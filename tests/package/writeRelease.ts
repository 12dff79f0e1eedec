import * as fs from "node:fs";
import * as path from "node:path";
import type { ImageSigningGuardArgs } from "../../components/args";
import { PROJECT_MANIFEST, readJson } from "../../local/packaging/schema";
import { stackSettings } from "../support/settings";
import { openCli } from "./pulumiCli";
import { openReleaseStack, RELEASES, recordRelease } from "./release";

/** `npm run record-release`: what this version makes, for the upgrade test of all later ones. */
async function main(): Promise<void> {
  const cli = await openCli(console.log, []);
  if ("missing" in cli) throw new Error(cli.missing);
  const version = String(readJson(PROJECT_MANIFEST).version);
  const file = path.join(RELEASES, `v${version}.json`);
  if (fs.existsSync(file) && !process.argv.includes("--again"))
    throw new Error(`${file} exists; once published it may not change (before: pass --again)`);
  // Every kind of resource that the component makes: trust files, guards, both modes and a policy of one's own.
  const args = {
    ...stackSettings("prod"),
    extraPolicies: [
      {
        apiVersion: "kyverno.io/v1",
        kind: "ClusterPolicy",
        metadata: { name: "own" },
        spec: { rules: [{ name: "own", match: { any: [] }, validate: { message: "", pattern: {} } }] },
      },
    ],
    readiness: { canary: false },
  } as unknown as ImageSigningGuardArgs;
  const record = await recordRelease(await openReleaseStack(cli, args), version, args);
  fs.mkdirSync(RELEASES, { recursive: true });
  fs.writeFileSync(file, `${JSON.stringify(record, undefined, 1)}\n`);
  console.log(`wrote ${file}`);
}

main().catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});
