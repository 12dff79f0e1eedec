import * as fs from "node:fs";
import * as path from "node:path";
import { stringify } from "yaml";
import { compilePosture, policiesOf } from "../../components/compile";
import { trustPatch } from "../../components/kyverno/trustFiles";
import type { CompiledMonitoring } from "../../components/monitoring/compile";
import { scrapeConfig } from "../../components/monitoring/scrape";
import { POLICY_REPORTER } from "../../components/posture/monitoringDefaults";
import type { KyvernoPlan, Posture } from "../../components/posture/types";
import { GuardInputError } from "../../components/problems";
import { resolveSettings } from "../../components/resolve";
import { isJson, type OutputOptions, type StackOptions } from "../options";
import { writingTo } from "../output";
import { readStackSettings } from "../settings/stackSettings";

export interface RenderOptions extends OutputOptions, StackOptions {
  stack: string;
  out?: string;
}

export interface RenderedFile {
  readonly name: string;
  readonly text: string;
}

export interface Rendered {
  readonly files: RenderedFile[];
  readonly warnings: string[];
}

/**
 * What the component would create, as files in the order in which they are applied. The chart itself is not rendered:
 * its values are, for `helm upgrade --install`.
 */
export function renderStack(settings: Record<string, unknown>, now: Date = new Date()): Rendered {
  const resolved = resolveSettings(settings, { now });
  const compiled = compilePosture(resolved);
  const { kyverno } = resolved.posture;
  const { leftoverGuards, namespace, trust, networkPolicy, backstop } = compiled;
  const prerequisites = [...leftoverGuards, ...[namespace, trust, networkPolicy].filter((one) => one !== undefined)];
  return {
    files: [
      ...(prerequisites.length > 0
        ? [{ name: "1-prerequisites.yaml", text: prerequisites.map(toYaml).join("---\n") }]
        : []),
      { name: "2-kyverno-values.yaml", text: `${chartCommand(kyverno)}\n${toYaml(compiled.chartValues)}` },
      ...(kyverno.install === false && trust
        ? [{ name: "2-kyverno-trust.yaml", text: `${TRUST_COMMAND}\n${trustPatch(trust).map(toYaml).join("---\n")}` }]
        : []),
      { name: "3-policies.yaml", text: policiesOf(compiled).map(toYaml).join("---\n") },
      // Applied once the policies are in force: it refuses pods until Kyverno has registered its webhooks for them.
      ...(backstop.length > 0 ? [{ name: "4-backstop.yaml", text: backstop.map(toYaml).join("---\n") }] : []),
      ...(compiled.monitoring ? monitoringFiles(resolved.posture, compiled.monitoring) : []),
    ],
    warnings: resolved.warnings,
  };
}

/** For whoever runs Kyverno without Helm, or merges no values of others. */
const TRUST_COMMAND = [
  "# Only where the values above are not merged: the trust anchors alone, for both Deployments. A patch of Kustomize, or:",
  "# kubectl apply --server-side --field-manager image-signing-guard --filename 2-kyverno-trust.yaml",
].join("\n");

/** How the values come into the cluster, as comment. */
function chartCommand({ install, chart, chartVersion, appVersion, releaseName, namespace }: KyvernoPlan): string {
  const repository = chart.repository ? ` --repo ${chart.repository}` : "";
  const lines =
    install === false
      ? [
          "For whoever runs Kyverno here: what the policies rest on, to be merged over their own values.",
          `helm upgrade ${releaseName} ${chart.name}${repository} --version THEIRS \\`,
          `  --namespace ${namespace} --reuse-values --values 2-kyverno-values.yaml`,
        ]
      : [
          `${chart.name} ${chartVersion} (Kyverno ${appVersion})`,
          `helm upgrade --install ${releaseName} ${chart.name}${repository} \\`,
          `  --version ${chartVersion} --namespace ${namespace} --values 2-kyverno-values.yaml --wait`,
        ];
  return lines.map((line) => `# ${line}`).join("\n");
}

/** Objects for the cluster, and for a Prometheus that has no operator the files that it reads itself. */
function monitoringFiles(posture: Posture, compiled: CompiledMonitoring): RenderedFile[] {
  const monitoring = posture.monitoring!;
  const { prometheusRule, dashboard, policyReporter, ruleGroups } = compiled;
  const objects = [prometheusRule, dashboard, policyReporter?.namespace].filter((one) => one !== undefined);
  const files: RenderedFile[] = [];
  if (objects.length > 0) files.push({ name: "4-monitoring.yaml", text: objects.map(toYaml).join("---\n") });
  if (policyReporter) {
    const { chart, chartVersion, namespace } = policyReporter.plan;
    const command = [
      `# helm upgrade --install ${POLICY_REPORTER.releaseName} ${chart.name}${chart.repository ? ` --repo ${chart.repository}` : ""} \\`,
      `#   --version ${chartVersion} --namespace ${namespace} --values 5-policy-reporter-values.yaml`,
    ];
    files.push({
      name: "5-policy-reporter-values.yaml",
      text: `${command.join("\n")}\n${toYaml(policyReporter.chartValues)}`,
    });
  }
  if (!monitoring.prometheusOperator) {
    if (ruleGroups.length > 0) files.push({ name: "prometheus-rules.yaml", text: toYaml({ groups: ruleGroups }) });
    files.push({ name: "prometheus-scrape.yaml", text: toYaml(scrapeConfig(posture.kyverno, monitoring)) });
  }
  return files;
}

function toYaml(value: unknown): string {
  // "compat" quotes what YAML 1.1 readers such as Helm would take for booleans.
  return stringify(value, { aliasDuplicateObjects: false, lineWidth: 0, compat: "yaml-1.1" });
}

/** Writes the files into a folder, or prints them when none is given; values are printed as a comment-headed document. */
export function writeRendered({ files }: Rendered, out: string | undefined, print: (text: string) => void): void {
  if (out === undefined) {
    print(files.map(({ name, text }) => `# ${name}\n${text}`).join("---\n"));
    return;
  }
  // An empty variable of a script; the files would go wherever the command was called.
  if (out === "")
    throw new GuardInputError([{ key: "--out", found: '""', allowed: "a folder", fix: "name it, . for this one" }]);
  writingTo(out, "folder", () => {
    makeFolder(path.resolve(out));
    for (const { name, text } of files) fs.writeFileSync(path.join(out, name), text);
  });
}

/** Step by step: Node's own recursive mkdir does not end where a file system says ENOENT for a folder's child. */
function makeFolder(folder: string): void {
  if (fs.existsSync(folder)) return;
  makeFolder(path.dirname(folder));
  fs.mkdirSync(folder);
}

export async function runRender(options: RenderOptions): Promise<void> {
  const rendered = renderStack(readStackSettings(options.stack, options.cwd, { ...options, without: "kubeconfig" }));
  for (const warning of rendered.warnings) process.stderr.write(`warning: ${warning}\n`);
  if (isJson(options)) {
    process.stdout.write(`${JSON.stringify({ version: 1, stack: options.stack, ...rendered }, null, 2)}\n`);
    if (options.out === undefined) return;
  }
  writeRendered(rendered, options.out, (text) => process.stdout.write(text));
  if (options.out)
    process.stderr.write(`wrote ${rendered.files.map(({ name }) => name).join(", ")} to ${options.out}\n`);
}
