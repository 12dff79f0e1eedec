import { Command } from "commander";
import { argsFromSettings } from "../../components/config";
import { describeTrust, type TrustDescription } from "../../components/posture/describeTrust";
import { resolvePosture } from "../../components/resolve";
import { isJson, type OutputOptions, withOutputOption } from "../options";
import { readStackSettings } from "../settings/stackSettings";
import { formatTable } from "../terminal/table";

/** Shows whom a stack's signatures are held against, and until when. */
export function trustCommand(): Command {
  const command = new Command("trust")
    .description("Show the certificates and log keys that a stack trusts, their source and how long they last.")
    .requiredOption("-s, --stack <name>", "stack whose Pulumi.<name>.yaml is read")
    .option("-C, --cwd <folder>", "folder of the stack files", ".");
  return withOutputOption(command)
    .addHelpText(
      "after",
      [
        "",
        "Exit code: 0 everything is valid now, 1 something is outside its validity.",
        "",
        "Examples:",
        "  image-signing-guard trust --stack prod",
        "  image-signing-guard trust --stack prod --output json",
      ].join("\n"),
    )
    .action((options: OutputOptions & { stack: string; cwd: string }) => {
      const json = isJson(options);
      const now = new Date();
      const trust = trustOf(readStackSettings(options.stack, options.cwd), now);
      process.stdout.write(
        `${json ? JSON.stringify({ version: 1, stack: options.stack, ...trust }, null, 2) : describeTable(trust)}\n`,
      );
      process.exitCode = trust.inWindow ? 0 : 1;
    });
}

/** Also of a bundle that has ended: `trust.strict` must not keep this command from showing it. */
export function trustOf(settings: Record<string, unknown>, now: Date): TrustDescription {
  const args = argsFromSettings(settings);
  return describeTrust(resolvePosture({ ...args, trust: { ...args.trust, strict: false } }, { now }), now);
}

function describeTable({ root, source, anchors }: TrustDescription): string {
  const rows = anchors.map(({ use, kind, state, daysLeft, validFrom, validUntil, subject, fingerprint }) => [
    `${use} ${kind}`,
    state === "notYet" ? "not yet" : state,
    validFrom?.slice(0, 10) ?? "-",
    validUntil?.slice(0, 10) ?? "no end stated",
    daysLeft === undefined ? "-" : String(daysLeft),
    subject,
    fingerprint,
  ]);
  const header = ["ANCHOR", "STATE", "FROM", "UNTIL", "DAYS LEFT", "SUBJECT", "FINGERPRINT"];
  const heading = `trust.root: ${root}\nsource: ${source}`;
  const none = "No anchor: every signer of this stack is a key or a certificate.";
  return `${heading}\n\n${rows.length > 0 ? formatTable(header, rows) : none}`;
}
