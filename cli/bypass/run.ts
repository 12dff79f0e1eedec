import type { Posture } from "../../components/posture/types";
import { GuardInputError } from "../../components/problems";
import { resolveSettings } from "../../components/resolve";
import { type ClusterOptions, clusterTarget, isJson, type OutputOptions, type StackOptions } from "../options";
import { readStackSettings } from "../settings/stackSettings";
import { formatTable } from "../terminal/table";
import { type AuditLine, grantBypass, listBypasses, revokeBypass } from "./commands";

export interface RevokeOptions extends ClusterOptions, OutputOptions {
  namespace: string;
}

export interface ListOptions extends ClusterOptions, OutputOptions {
  namespace?: string;
}

export interface GrantOptions extends ClusterOptions, OutputOptions, StackOptions {
  stack: string;
  namespace: string;
  policy: string[];
  reason: string;
  for: string;
  dryRun?: boolean;
}

function postureOf(options: GrantOptions): Posture {
  return resolveSettings(readStackSettings(options.stack, options.cwd, options)).posture;
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

export async function runGrant(given: string | undefined, options: GrantOptions): Promise<void> {
  const { workload, policies } = whichWorkload(given, options.policy);
  const request = { policies, reason: options.reason, duration: options.for };
  const line = await grantBypass(
    clusterTarget(options),
    workload,
    options.namespace,
    request,
    postureOf(options),
    options.dryRun ?? false,
  );
  printAuditLine(line, options, options.dryRun ? "would be granted" : "granted");
}

/** `-p policy deployment/shop`: the flag, which takes several, has taken the workload too. */
function whichWorkload(given: string | undefined, policies: string[]): { workload: string; policies: string[] } {
  if (given !== undefined) return { workload: given, policies };
  const workload = policies.find((policy) => policy.includes("/"));
  if (workload !== undefined) return { workload, policies: policies.filter((policy) => policy !== workload) };
  throw new GuardInputError([
    {
      key: "<workload>",
      found: "nothing",
      allowed: "a workload such as deployment/shop",
      fix: "name it first: image-signing-guard bypass grant deployment/shop ...",
    },
  ]);
}

export async function runList(options: ListOptions): Promise<void> {
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
    process.stdout.write(`${formatTable(["NAMESPACE", "WORKLOAD", "POLICIES", "STATE", "UNTIL", "REASON"], rows)}\n`);
  }
  if (unread.length > 0) process.exitCode = 2;
  else if (bypasses.some(({ state }) => state !== "running")) process.exitCode = 1;
}

export async function runRevoke(workload: string, options: RevokeOptions): Promise<void> {
  const { left, ...line } = await revokeBypass(clusterTarget(options), workload, options.namespace);
  printAuditLine({ ...line, ...(left.length > 0 ? { left } : {}) }, options, "revoked");
  if (line.revisions.length > 0 && !isJson(options))
    process.stdout.write(`so that no rollback brings it back, from its revisions too: ${line.revisions.join(", ")}\n`);
  for (const problem of left)
    process.stderr.write(`not cleared, so a rollback to it would bypass until ${line.until}: ${problem}\n`);
  if (left.length > 0) process.exitCode = 1;
}
