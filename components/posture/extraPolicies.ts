import type { Manifest } from "../kubernetes/manifest";
import { isReserved } from "../policies/names";
import { describeValue } from "../problems";
import type { Context } from "./context";

/**
 * Organisation policies are passed through as they are, so only what would break the guard is refused: another kind,
 * a name of ours, and image verification, because two policies that judge one image overwrite each other's verdict.
 */
export function checkExtraPolicies({ config, problems }: Context): Manifest[] {
  const names = new Set<string>();
  return (config.extraPolicies ?? []).flatMap((policy, index) => {
    const key = `extraPolicies[${index}]`;
    const manifest = policy as Partial<Manifest> & { spec?: { rules?: unknown } };
    const name = manifest.metadata?.name;
    if (manifest.apiVersion !== "kyverno.io/v1" || manifest.kind !== "ClusterPolicy") {
      problems.say(
        key,
        `${describeValue(manifest.apiVersion)} ${describeValue(manifest.kind)}`,
        "apiVersion kyverno.io/v1 and kind ClusterPolicy",
        "write the policy as a ClusterPolicy of kyverno.io/v1",
      );
      return [];
    }
    if (typeof name !== "string" || name === "") {
      problems.add(`${key}.metadata.name`, name, "a name", "add metadata.name");
      return [];
    }
    if (names.has(name) || isReserved(name)) {
      problems.add(
        `${key}.metadata.name`,
        name,
        "a name that neither the guard nor another entry uses",
        "rename the policy",
      );
    }
    names.add(name);
    const rules = manifest.spec?.rules;
    if (!Array.isArray(rules) || rules.length === 0) {
      problems.add(`${key}.spec.rules`, rules, "a list of rules with at least one entry", "add the policy's rules");
      return [];
    }
    rules.forEach((rule, position) => {
      if (rule === null || typeof rule !== "object" || !("verifyImages" in rule)) return;
      problems.say(
        `${key}.spec.rules[${position}].verifyImages`,
        "a second judge of images",
        "rules of other kinds (validate, mutate, generate)",
        "move the signers to images: Kyverno 1.10 keeps one verdict an image, so two judges overwrite each other",
      );
    });
    return [manifest as Manifest];
  });
}
