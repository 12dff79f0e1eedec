import * as fs from "node:fs";
import type { PulumiFn } from "@pulumi/pulumi/automation";
import type { ImageSigningGuardArgs } from "../components/args";
import type { ControlPlane } from "../local/controlPlane";
import { type Engine, openStack } from "../local/engine";
import type { ProgramName } from "./results";

/** What `bench/pulumi.ts` hands to this process. */
export interface ProgramInput {
  readonly name: ProgramName;
  readonly stack: string;
  readonly plane: Pick<ControlPlane, "workDir" | "kubeconfig">;
  readonly engine: Engine;
  readonly args: ImageSigningGuardArgs;
}

/** One life of a stack: seconds for each step. */
export interface ProgramRun {
  readonly preview: number;
  readonly up: number;
  readonly emptyPreview: number;
  readonly resources: number;
  readonly memoryMiB: number;
}

async function main(): Promise<void> {
  const input = JSON.parse(fs.readFileSync(process.argv[2]!, "utf8")) as ProgramInput;
  const stack = await openStack(
    input.plane,
    input.engine,
    input.stack,
    input.name === "bare" ? bareProgram : undefined,
  );
  const timed = async <T>(action: () => Promise<T>): Promise<[number, T]> => {
    const start = performance.now();
    const value = await action();
    return [(performance.now() - start) / 1000, value];
  };
  const [preview] = await timed(() => stack.preview(input.args));
  const [up, { operations }] = await timed(() => stack.up(input.args));
  const [emptyPreview] = await timed(() => stack.preview(input.args, { expectNoChanges: true }));
  const memoryMiB = Math.round(process.resourceUsage().maxRSS / 1024);
  await stack.destroy();
  const run: ProgramRun = { preview, up, emptyPreview, resources: operations.length, memoryMiB };
  process.stdout.write(`\n${JSON.stringify(run)}\n`, () => process.exit(0));
}

/** The same objects without the component: nothing is checked, ordered or asked beyond what Pulumi does by itself. */
function bareProgram(args: ImageSigningGuardArgs): PulumiFn {
  return async () => {
    const k8s = await import("@pulumi/kubernetes");
    const { compilePosture, policiesOf } = await import("../components/compile");
    const { releaseArgs } = await import("../components/kyverno/release");
    const { resolvePosture } = await import("../components/resolve");
    const resolved = resolvePosture(args);
    const compiled = compilePosture(resolved);
    const { chartValues, namespace, trust } = compiled;
    const policies = policiesOf(compiled);
    const metadata = (of: { metadata: unknown }) => of.metadata as { name: string };
    const home = new k8s.core.v1.Namespace("namespace", { metadata: metadata(namespace!) });
    const files = trust && [
      new k8s.core.v1.ConfigMap(
        "trust",
        { metadata: metadata(trust), data: trust.data as Record<string, string> },
        { dependsOn: home },
      ),
    ];
    const { repository } = resolved.posture.kyverno.chart;
    const chart = releaseArgs(resolved.posture.kyverno, { repository, values: chartValues });
    const release = new k8s.helm.v3.Release("kyverno", chart, {
      dependsOn: [home, ...(files ?? [])],
    });
    for (const policy of policies) {
      const { apiVersion, kind, spec } = policy;
      const annotations = { ...policy.metadata.annotations, "pulumi.com/waitFor": "condition=Ready" };
      new k8s.apiextensions.CustomResource(
        policy.metadata.name,
        { apiVersion, kind, metadata: { ...policy.metadata, annotations }, spec },
        { dependsOn: release },
      );
    }
  };
}

void main().catch((error) => {
  process.stderr.write(`${(error as Error).stack}\n`, () => process.exit(1));
});
