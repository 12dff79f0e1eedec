import * as fs from "node:fs";
import * as path from "node:path";
import { LocalWorkspace, type OpType, PulumiCommand, type Stack } from "@pulumi/pulumi/automation";
import type { ImageSigningGuardArgs } from "../../components/args";
import { PROJECT } from "../../local/packaging/schema";
import type { Cli } from "./pulumiCli";
import { newFolder } from "./support";

export const RELEASES = path.join(PROJECT, "tests", "fixtures", "releases");

/** A resource in a stack's state; an answer of the provider is not kept, as the stand-in's is the inputs. */
export interface StateResource {
  readonly urn: string;
  readonly type: string;
  readonly custom: boolean;
  readonly parent?: string;
  readonly inputs?: Record<string, unknown>;
  outputs?: Record<string, unknown>;
}

/** What a release made of some arguments: an upgrade starts from it. */
export interface ReleaseRecord {
  readonly version: string;
  readonly args: ImageSigningGuardArgs;
  readonly deployment: { resources: StateResource[] };
}

export function readReleases(): ReleaseRecord[] {
  return fs
    .readdirSync(RELEASES)
    .filter((file) => file.endsWith(".json"))
    .map((file) => JSON.parse(fs.readFileSync(path.join(RELEASES, file), "utf8")) as ReleaseRecord);
}

/** A stack whose program is this checkout's component with the arguments of the record. */
export async function openReleaseStack(cli: Cli, args: ImageSigningGuardArgs): Promise<Stack> {
  const root = newFolder("cli");
  fs.mkdirSync(path.join(root, "bin"));
  // The SDK looks for bin/pulumi.
  fs.symlinkSync(cli.program, path.join(root, "bin", "pulumi"));
  const program = async () => {
    const { ImageSigningGuard } = await import("../../components/imageSigningGuard");
    new ImageSigningGuard("guard", args);
  };
  return LocalWorkspace.createOrSelectStack(
    { stackName: "release", projectName: "upgrade", program },
    {
      pulumiCommand: await PulumiCommand.get({ root, skipVersionCheck: true }),
      workDir: newFolder("release"),
      envVars: cli.env as Record<string, string>,
    },
  );
}

/** The state of the stack after `up`, as small as it can be kept. */
export async function recordRelease(stack: Stack, version: string, args: ImageSigningGuardArgs) {
  await stack.up({ color: "never" });
  const { deployment } = await stack.exportStack();
  const kept = deployment as { resources: StateResource[]; secrets_providers?: unknown; manifest?: unknown };
  const resources = kept.resources.map((resource) => {
    // When and where it was made would differ in every record.
    const rest: Record<string, unknown> = { ...resource };
    for (const key of ["created", "modified", "sourcePosition", "stackTrace"]) delete rest[key];
    return resource.custom ? { ...rest, outputs: undefined } : rest;
  });
  return { version, args, deployment: { manifest: kept.manifest, resources } };
}

/** The operations that a preview of this checkout plans for a stack that the release made. */
export async function previewUpgrade(stack: Stack, { deployment }: ReleaseRecord): Promise<Record<string, OpType>> {
  const state = structuredClone(deployment);
  for (const resource of state.resources) {
    if (!resource.custom) continue;
    const release = resource.type === "kubernetes:helm.sh/v3:Release";
    resource.outputs = release ? { ...resource.inputs, status: { status: "deployed" } } : resource.inputs;
  }
  await stack.importStack({ version: 3, deployment: state as never });
  const operations: Record<string, OpType> = {};
  await stack.preview({
    color: "never",
    onEvent: ({ resourcePreEvent }) => {
      const metadata = resourcePreEvent?.metadata;
      if (metadata && !metadata.type.startsWith("pulumi:")) operations[nameOf(metadata.urn)] = metadata.op;
    },
  });
  return operations;
}

export const nameOf = (urn: string) => urn.split("::").pop() ?? "";
