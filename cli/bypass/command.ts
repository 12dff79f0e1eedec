import { Command } from "commander";
import { argsFromSettings } from "../../components/config";
import type { Posture } from "../../components/posture/types";
import { resolvePosture } from "../../components/resolve";
import {
  type ClusterOptions,
  clusterTarget,
  isJson,
  type OutputOptions,
  withClusterOptions,
  withOutputOption,
} from "../options";
import { readStackSettings } from "../settings/stackSettings";
import { formatTable } from "../terminal/table";
import { type AuditLine, grantBypass, listBypasses, revokeBypass } from "./commands";

interface GrantOptions extends ClusterOptions, OutputOptions {
  stack: string;
  cwd: string;
  namespace: string;
  policy: string[];
  reason: string;
  for: string;
  dryRun?: boolean;
}

export function bypassCommand(): Command {
  const command = new Command("bypass").description("Grant, list and revoke emergency bypasses.");
  const grant = command
    .command("grant <workload>")
    .description("Let a workload (deployment/shop) run unsigned images for a while, in your own name.")
    .requiredOption("-s, --stack <name>", "stack whose bypass rules hold")
    .option("-C, --cwd <folder>", "folder of the stack files", ".")
    .requiredOption("-n, --namespace <name>", "the workload's namespace")
    .requiredOption("-p, --policy <name...>", "policies to skip, as the refusal names them")
    .requiredOption("-r, --reason <text>", "what happened, and where it is tracked")
    .requiredOption("-f, --for <duration>", "how long, such as 90m or 2h")
    .option("--dry-run", "ask the cluster, change nothing");
  withOutputOption(withClusterOptions(grant))
    .addHelpText(
      "after",
      '\nExample:\n  image-signing-guard bypass grant deployment/shop -n production -s prod \\\n    -p require-signed-images -r "INC-1234: signing service is down" -f 2h',
    )
    .action(async (workload: string, options: GrantOptions) => {
      const request = { policies: options.policy, reason: options.reason, duration: options.for };
      const line = await grantBypass(
        clusterTarget(options),
        workload,
        options.namespace,
        request,
        postureOf(options.stack, options.cwd),
        options.dryRun ?? false,
      );
      printAuditLine(line, options, options.dryRun ? "would be granted" : "granted");
    });

  const list = command
    .command("list")
    .description("Show every bypass in the cluster; exit code 1 when one has ended or is invalid but still there.")
    .option("-n, --namespace <name>", "only this namespace");
  withOutputOption(withClusterOptions(list))
    .addHelpText(
      "after",
      "\nExamples:\n  image-signing-guard bypass list\n  image-signing-guard bypass list -n production -o json",
    )
    .action(async (options: ClusterOptions & OutputOptions & { namespace?: string }) => {
      const { bypasses, unread } = await listBypasses(clusterTarget(options), options.namespace, new Date());
      for (const problem of unread) process.stderr.write(`not read: ${problem}\n`);
      if (isJson(options)) process.stdout.write(`${JSON.stringify({ version: 1, bypasses, unread }, null, 2)}\n`);
      else if (bypasses.length === 0) process.stdout.write("no bypass\n");
      else {
        const rows = bypasses.map((b) => [
          b.namespace,
          `${b.kind}/${b.name}`,
          b.policies.join(","),
          b.state,
          b.until,
          b.reason,
        ]);
        process.stdout.write(
          `${formatTable(["NAMESPACE", "WORKLOAD", "POLICIES", "STATE", "UNTIL", "REASON"], rows)}\n`,
        );
      }
      if (unread.length > 0) process.exitCode = 2;
      else if (bypasses.some(({ state }) => state !== "running")) process.exitCode = 1;
    });

  const revoke = command
    .command("revoke <workload>")
    .description("Take the bypass off a workload; its next pods are judged again.")
    .requiredOption("-n, --namespace <name>", "the workload's namespace");
  withOutputOption(withClusterOptions(revoke))
    .addHelpText("after", "\nExample:\n  image-signing-guard bypass revoke deployment/shop -n production")
    .action(async (workload: string, options: ClusterOptions & OutputOptions & { namespace: string }) => {
      printAuditLine(await revokeBypass(clusterTarget(options), workload, options.namespace), options, "revoked");
    });
  return command;
}

function postureOf(stack: string, cwd: string): Posture {
  return resolvePosture(argsFromSettings(readStackSettings(stack, cwd))).posture;
}

function printAuditLine(line: AuditLine, options: OutputOptions, verb: string): void {
  if (isJson(options)) {
    process.stdout.write(`${JSON.stringify({ version: 1, ...line })}\n`);
    return;
  }
  process.stdout.write(
    `${verb}: ${line.policies} for ${line.workload} in ${line.namespace}, by ${line.by}, until ${line.until}, because: ${line.reason}\n`,
  );
}
