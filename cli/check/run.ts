import { resolveSettings } from "../../components/resolve";
import { checkImage } from "../judging/image";
import { type CheckReport, describeReport, exitCode, type ImageReport } from "../judging/imageReport";
import { usualNamespaces } from "../judging/rules";
import { isJson, type OutputOptions, type StackOptions } from "../options";
import { readStackSettings } from "../settings/stackSettings";

export interface CheckOptions extends OutputOptions, StackOptions {
  stack: string;
  namespace: string[];
}

/** Judges images as Kyverno would with this stack, from the registry alone. */
export async function checkImages(
  images: readonly string[],
  stack: string,
  settings: Record<string, unknown>,
  namespaces: readonly string[] = [],
): Promise<CheckReport> {
  const resolved = resolveSettings(settings);
  const { posture } = resolved;
  const where = namespaces.length > 0 ? namespaces : usualNamespaces(posture);
  const reports: ImageReport[] = [];
  // One after the other: registries limit clients that hurry.
  for (const image of images) reports.push(await checkImage(image, where, resolved));
  return {
    version: 1,
    stack,
    kyverno: posture.kyverno.appVersion,
    judgedAs: posture.kyverno.appVersion,
    images: reports,
    exitCode: exitCode(reports),
  };
}

export async function runCheck(images: string[], options: CheckOptions): Promise<void> {
  const json = isJson(options);
  const settings = readStackSettings(options.stack, options.cwd, options);
  const report = await checkImages(images, options.stack, settings, options.namespace);
  process.stdout.write(`${json ? JSON.stringify(report, null, 2) : describeReport(report)}\n`);
  process.exitCode = report.exitCode;
}
