import { Command } from "commander";
import { KyvernoTarget } from "../../components/args";
import { argsFromSettings } from "../../components/config";
import { KYVERNO_LINES } from "../../components/posture/kyvernoLines";
import { resolvePosture } from "../../components/resolve";
import { checkImage } from "../judging/image";
import { type CheckReport, describeReport, exitCode, type ImageReport } from "../judging/imageReport";
import { usualNamespaces } from "../judging/rules";
import { isJson, type OutputOptions, withOutputOption } from "../options";
import { readStackSettings } from "../settings/stackSettings";

interface CheckOptions extends OutputOptions {
  stack: string;
  cwd: string;
  namespace: string[];
}

/** Judges images as Kyverno would with this stack, from the registry alone. */
export async function checkImages(
  images: readonly string[],
  stack: string,
  settings: Record<string, unknown>,
  namespaces: readonly string[] = [],
): Promise<CheckReport> {
  const resolved = resolvePosture(argsFromSettings(settings));
  const { posture } = resolved;
  const where = namespaces.length > 0 ? namespaces : usualNamespaces(posture);
  const reports: ImageReport[] = [];
  // One after the other: registries limit clients that hurry.
  for (const image of images) reports.push(await checkImage(image, where, resolved));
  return {
    version: 1,
    stack,
    kyverno: posture.kyverno.appVersion,
    judgedAs: KYVERNO_LINES[KyvernoTarget.V1_10].appVersion,
    images: reports,
    exitCode: exitCode(reports),
  };
}

export function checkCommand(): Command {
  const collect = (value: string, earlier: string[]) => [...earlier, value];
  const command = new Command("check")
    .description("Say for each image how it is signed, by whom, which rule judges it, and what Kyverno would decide.")
    .argument("<image...>", "images as a pod names them")
    .requiredOption("-s, --stack <name>", "stack whose Pulumi.<name>.yaml is read")
    .option("-C, --cwd <folder>", "folder of the stack files", ".")
    .option(
      "-n, --namespace <name>",
      "namespace to judge for, repeatable (default: a production and another)",
      collect,
      [],
    );
  return withOutputOption(command)
    .addHelpText(
      "after",
      [
        "",
        "Needs no cluster. Logins are those of docker login; HTTPS_PROXY and NODE_EXTRA_CA_CERTS are honoured.",
        "Exit code: 0 all would be admitted, 1 some would be refused, 2 some can't be told.",
        "",
        "Example:",
        "  image-signing-guard check ghcr.io/ikey168/modulo-frontend:1.0 --stack prod",
      ].join("\n"),
    )
    .action(async (images: string[], options: CheckOptions) => {
      const json = isJson(options);
      const settings = readStackSettings(options.stack, options.cwd);
      const report = await checkImages(images, options.stack, settings, options.namespace);
      if (report.kyverno !== report.judgedAs)
        process.stderr.write(`warning: judged as Kyverno ${report.judgedAs}; the stack installs ${report.kyverno}\n`);
      process.stdout.write(`${json ? JSON.stringify(report, null, 2) : describeReport(report)}\n`);
      process.exitCode = report.exitCode;
    });
}
