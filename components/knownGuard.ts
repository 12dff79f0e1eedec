import * as pulumi from "@pulumi/pulumi";
import { policiesOf } from "./compile";
import { newHook } from "./hooks";
import { isManaged } from "./kubernetes/manifest";
import { isMocked } from "./mocked";
import type { Plan } from "./plan";
import { NotReadyError } from "./pulumiError";
import type { ReadinessProbe } from "./readiness";

/**
 * Refuses a guard where one is already that the state does not know, as after it was renamed: its parts would be made anew
 * before the old ones go. Only the engine knows which guards are new, and it tells hooks. The component itself is taken in,
 * as the SDK would wait for ever for the parts of one that is not.
 */
export function withKnownGuard(
  name: string,
  opts: pulumi.ComponentResourceOptions,
  { plan, self }: { plan: Plan; self: () => { resource: pulumi.Resource; probe: ReadinessProbe } },
): pulumi.ComponentResourceOptions {
  // The mocks claim to know hooks, but do not.
  if (isMocked()) return opts;
  const hook = newHook(
    name,
    async () => {
      const { resource, probe } = self();
      const found = await unknownPart(plan, probe);
      if (found === undefined) return;
      const text = `${found} of a guard is in the cluster already, and this stack's state does not know it: it knows no guard "${name}" at this place. If it was renamed or moved: pulumi up once under its old name, then again as new ImageSigningGuard("${name}", args, { aliases: [{ name: "OLD-NAME" }] }). If an earlier up was killed or the state was lost, run image-signing-guard adopt --stack ${pulumi.getStack()}${nameFlag(name)} and the pulumi import that it prints. If another stack has it: a cluster holds one guard`;
      if (!pulumi.runtime.isDryRun()) probe.refuse(new NotReadyError(text, resource));
      // Not waited for: the message belongs to the resource, whose registration waits for this hook.
      else void pulumi.log.warn(`up would stop here: ${text}`, resource);
    },
    { onDryRun: true },
  );
  return { ...opts, hooks: { ...opts.hooks, beforeCreate: [...(opts.hooks?.beforeCreate ?? []), hook] } };
}

/** How the commands are told of a guard that is not called as the package's own program calls it. */
export const nameFlag = (name: string): string => (name === "guard" ? "" : ` --name ${name}`);

async function unknownPart({ shape: { compiled } }: Plan, probe: ReadinessProbe): Promise<string | undefined> {
  const manifest = compiled.namespace ?? policiesOf(compiled)[0];
  if (!manifest) return undefined;
  try {
    return await probe.lookNow(async (client) => {
      const { objectOf } = await import("./kubernetes/objects");
      const live = await objectOf(client, manifest);
      return live && isManaged(live) ? `${manifest.kind} ${manifest.metadata.name}` : undefined;
    });
  } catch {
    // A cluster that can't be asked is told of by the look at it that follows, which ends the program too.
    return undefined;
  }
}
