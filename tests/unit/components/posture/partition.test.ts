import * as assert from "node:assert/strict";
import * as fc from "fast-check";
import { RULE } from "../../../../components/policies/names";
import { KUBERNETES_NAMESPACES } from "../../../../components/posture/namespaces";
import { GuardInputError } from "../../../../components/problems";
import { IMAGES, NAMESPACES, type RandomSettings, randomSettings } from "../../../support/arbitraries";
import { appliesIn, judgingEntries, kyvernoWildcard, type PodRequest } from "../../../support/kyvernoMatch";
import { compile, rulesOf } from "../../../support/settings";

/** Where a namespace belongs, by the words of the documentation and not by the code. */
function documented(settings: RandomSettings, namespace: string) {
  const given = settings.namespaces ?? {};
  const kyverno = (settings.kyverno as { namespace?: string } | undefined)?.namespace ?? "kyverno";
  if ([...KUBERNETES_NAMESPACES, kyverno, ...(given.system ?? [])].includes(namespace)) return "system" as const;
  const isIn = (patterns: string[]) => patterns.some((pattern) => kyvernoWildcard(pattern, namespace));
  const production = isIn(given.production ?? ["production", "prod", "prod-*"]);
  const development = isIn(given.development ?? ["development", "dev", "dev-*"]);
  const override = given.overrides?.find((entry) => kyvernoWildcard(entry.namespace, namespace))?.mode;
  const mode = override ?? (development ? "audit" : (settings.mode ?? "audit"));
  return { production, mode };
}

interface Accepted {
  readonly settings: RandomSettings;
  readonly compiled: ReturnType<typeof compile>;
}

/** Random configurations without overlaps. One sample serves all tests, since compiling takes longest. */
function acceptedSample(seed: number): Accepted[] {
  return fc.sample(randomSettings(), { seed, numRuns: 250 }).flatMap((settings) => {
    try {
      return [{ settings, compiled: compile(settings) }];
    } catch (error) {
      if (error instanceof GuardInputError) return [];
      throw error;
    }
  });
}

const seed = Date.now() % 1_000_000;
let sample: Accepted[] = [];

function forAccepted(check: (settings: RandomSettings, compiled: ReturnType<typeof compile>) => void): void {
  for (const { settings, compiled } of sample) {
    try {
      check(settings, compiled);
    } catch (error) {
      assert.fail(`${(error as Error).message}\nwith seed ${seed} and ${JSON.stringify(settings)}`);
    }
  }
}

describe("the partition of namespaces and images", () => {
  before(() => {
    sample = acceptedSample(seed);
    assert.ok(sample.length > 40, `only ${sample.length} configurations were accepted`);
  });

  for (const request of ["create", "bypass", "debug"] as const) {
    it(`lets exactly one rule judge a covered image, in the documented mode (${request})`, () => {
      forAccepted((settings, { policies }) => {
        const patterns = settings.images.flatMap(({ repositories }) => repositories);
        const judges = judgingEntries(policies, request);
        const judgesByImage = IMAGES.map(({ image, repository }) => ({
          image,
          covered: patterns.some((pattern) => kyvernoWildcard(pattern, repository)),
          judges: judges.filter((judge) => judge.matchesImage(image)),
        }));
        for (const namespace of NAMESPACES) {
          const place = documented(settings, namespace);
          const here = new Set(judges.filter((judge) => judge.looksIn(namespace)));
          for (const { image, covered, judges } of judgesByImage) {
            const found = judges
              .filter((judge) => here.has(judge))
              .map(({ policy, rule, action }) => ({ policy, rule, action }));
            const complain = (what: string) =>
              assert.fail(`${what}: ${image} in ${namespace}: ${JSON.stringify(found)}`);
            if (found.length > 1) complain("judged twice");
            if (place === "system" && found.length > 0) complain("judged in a system namespace");
            if (place === "system" || !covered) continue;
            if (found.length === 0) complain("not judged");
            if (found[0]!.action !== (place.mode === "enforce" ? "Enforce" : "Audit"))
              complain(`not in mode ${place.mode}`);
            if (found[0]!.policy.startsWith("require-signed-images") !== place.production)
              complain("by the other policy");
          }
        }
      });
    });
  }

  it("gives every namespace one answer to uncovered images, as configured for its class", () => {
    forAccepted((settings, { policies }) => {
      for (const namespace of NAMESPACES) {
        const place = documented(settings, namespace);
        const answers = policies
          .flatMap(rulesOf)
          .filter((rule) => /^(every-image-has-a-signer|images-are-spelled-plainly)/.test(rule.name as string))
          .filter((rule) => appliesIn(rule, namespace));
        assert.equal(answers.length, place === "system" ? 0 : 1, namespace);
        if (place === "system") continue;
        const refused = place.production
          ? (settings.uncovered?.production ?? "refuse")
          : (settings.uncovered?.applications ?? "report");
        assert.match(answers[0]!.name as string, refused === "refuse" ? /^every-image/ : /^images-are/, namespace);
      }
    });
  });

  it("puts the guards wherever something is enforced, and nowhere else", () => {
    forAccepted((settings, { policies }) => {
      const guards = policies.filter(({ metadata }) => metadata.name.startsWith("guard-"));
      const target = (settings.kyverno as { target?: string } | undefined)?.target ?? "1.10";
      for (const namespace of NAMESPACES) {
        const place = documented(settings, namespace);
        const enforced = place !== "system" && place.mode === "enforce";
        const here = (name: string, request: PodRequest = "create") =>
          guards
            .filter(({ metadata }) => metadata.name === name)
            .flatMap(rulesOf)
            .filter((rule) => appliesIn(rule, namespace, request));
        assert.equal(
          here("guard-image-verdicts").length > 0,
          enforced && target === "1.10",
          `verdicts in ${namespace}`,
        );
        const bypassed = here("guard-image-bypass", "bypass").length;
        assert.equal(bypassed, enforced && settings.bypass ? 1 : 0, `bypass in ${namespace}`);
      }
    });
  });

  it("reports uncovered images in every namespace in which they are not refused", () => {
    forAccepted((settings, { policies }) => {
      const audit = policies.filter(({ metadata }) => metadata.name === "audit-unsigned-images").flatMap(rulesOf);
      for (const namespace of NAMESPACES) {
        const place = documented(settings, namespace);
        const refusing = policies
          .filter(({ spec }) => (spec as { validationFailureAction: string }).validationFailureAction === "Enforce")
          .flatMap(rulesOf)
          .filter(
            ({ name }) =>
              name === RULE.everyImageHasASigner || String(name).startsWith("every-image-has-a-signer-listed"),
          );
        const refused = place !== "system" && refusing.some((rule) => appliesIn(rule, namespace));
        const reports = audit.filter((rule) => appliesIn(rule, namespace)).length;
        assert.equal(reports, refused ? 0 : 1, namespace);
      }
    });
  });
});
