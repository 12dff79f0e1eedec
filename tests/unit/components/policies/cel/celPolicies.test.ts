import * as assert from "node:assert/strict";
import { TrustedRoot } from "@sigstore/protobuf-specs";
import { toTrustMaterial } from "@sigstore/verify";
import { policiesOf } from "../../../../../components/compile";
import type { Json, Manifest } from "../../../../../components/kubernetes/manifest";
import { scopesHold } from "../../../../../components/policies/cel/celPolicy";
import { requirementOfEntry, requirementsOfPolicy } from "../../../../../components/policies/cel/demands";
import { trustedRoot } from "../../../../../components/policies/cel/trustedRoot";
import { conditionsToCel } from "../../../../../components/posture/celConditions";
import { scopeHas } from "../../../../../components/posture/namespaces";
import { resolvePosture } from "../../../../../components/resolve";
import { newAuthority, newKeyPair, type TestAuthority } from "../../../../support/pems";
import { problemsOf } from "../../../../support/problems";
import { compile, GITHUB, MODULO, NOW, policyOf, postureOf, settings, warningsOf } from "../../../../support/settings";

const FORM = { target: "1.19", policies: "imageValidatingPolicy" };
const PREDICATE = "https://slsa.dev/provenance/v1";
const entry = (change: Record<string, unknown> = {}, more: Record<string, unknown> = {}) =>
  settings({ mode: "enforce", kyverno: FORM, images: [{ ...MODULO, ...change }], ...more });
const stated = (conditions?: unknown, change: Record<string, unknown> = {}) =>
  entry({ attestations: [{ predicateType: PREDICATE, ...(conditions ? { conditions } : {}) }], ...change });
const keyed = { key: { publicKey: newKeyPair().publicKey } };
const bundles = { format: "sigstoreBundle" };

describe("policies of the newer kinds", () => {
  let authority: TestAuthority;
  before(async () => {
    authority = await newAuthority();
  });
  const custom = (more: Record<string, unknown> = {}) => ({
    root: "custom",
    fulcioCertificates: authority.root.pem,
    rekor: { url: "https://rekor.example.com", publicKey: newKeyPair().publicKey },
    ...more,
  });
  const tuf = {
    mirror: "https://tuf.example.com",
    root: JSON.stringify({ signed: { _type: "root" }, signatures: [] }),
  };

  describe("what they can't keep", () => {
    const S = "images[0].signers[0]";
    const A = "images[0].attestations[0]";
    const equals = (key: string, operator = "Equals", value: unknown = "x") => [{ all: [{ key, operator, value }] }];
    /** Where it is said, and a word of the way out. To add a case, add a line. */
    const UNFIT: [what: string, raw: () => unknown, key: string, fix: RegExp][] = [
      [
        "an older line",
        () => entry({}, { kyverno: { ...FORM, target: "1.10" } }),
        "kyverno.policies",
        /kyverno\.target: "1\.19"/,
      ],
      ["a Kyverno of others", () => entry({}, { kyverno: { ...FORM, install: false } }), "kyverno.policies", /by tag/],
      [
        "exceptions",
        () => entry({}, { kyverno: { ...FORM, policyExceptionsNamespace: "x" } }),
        "kyverno.policyExceptionsNamespace",
        /clusterPolicy/,
      ],
      [
        "a trigger",
        () => entry({ signers: [{ github: { ...GITHUB, trigger: "push" } }] }),
        `${S}.github.trigger`,
        /15809/,
      ],
      [
        "a claim",
        () =>
          entry({
            signers: [
              {
                keyless: {
                  issuer: "https://i.example.com",
                  subject: "a@example.com",
                  claims: { githubWorkflowTrigger: "push" },
                },
              },
            ],
          }),
        `${S}.keyless.claims.githubWorkflowTrigger`,
        /ignores claims/,
      ],
      [
        "a key in a Secret",
        () => entry({ signers: [{ key: { secretName: "k" } }] }),
        `${S}.key.secretName`,
        /publicKey/,
      ],
      [
        "keyless signers offline",
        () => entry({}, { trust: custom({ root: "offline" }) }),
        "trust.root",
        /asks an update repository/,
      ],
      ["keyless signers without an update repository", () => entry({}, { trust: custom() }), "trust.tuf", /public one/],
      [
        "localhost without a port",
        () => entry({ repositories: ["localhost/app"] }),
        "images[0].repositories[0]",
        /Docker Hub/,
      ],
      ["a key's statement in the tag format", () => stated(undefined, { signers: [keyed] }), A, /into a bundle/],
      [
        "a statement without log in the tag format",
        () => ({ ...stated(), trust: custom({ rekor: undefined, acceptNoTransparencyLog: true, tuf }) }),
        A,
        /17109/,
      ],
      ["a function in a condition", () => stated(equals("{{ length(materials) }}")), `${A}.conditions`, /JMESPath/],
      ["a filter in a condition", () => stated(equals("{{ materials[0].uri }}")), `${A}.conditions`, /JMESPath/],
      ["a condition on a text", () => stated(equals("builder.id")), `${A}.conditions`, /one field/],
      ["an operator", () => stated(equals("{{ a }}", "DurationGreaterThan", "1h")), `${A}.conditions`, /Equals/],
      ["an order of texts", () => stated(equals("{{ a }}", "GreaterThan", "1Gi")), `${A}.conditions`, /with a number/],
      ["a list of numbers", () => stated(equals("{{ a }}", "AnyIn", [1, 2])), `${A}.conditions`, /list of texts/],
      ["a variable in a value", () => stated(equals("{{ a }}", "Equals", "{{ b }}")), `${A}.conditions`, /with a text/],
      ["a block of another kind", () => stated([{ none: [] }]), `${A}.conditions`, /any and all/],
      ["an empty list", () => stated([{ all: [] }]), `${A}.conditions`, /list/],
    ];
    for (const [what, raw, key, fix] of UNFIT)
      it(`${what} is refused`, () => {
        const found = problemsOf(() => resolvePosture(raw(), { now: NOW })).find((problem) => problem.key === key);
        assert.match(found?.fix ?? "nothing", fix);
      });

    it("is nothing among ClusterPolicies", () => {
      const raw = entry({ signers: [{ github: { ...GITHUB, trigger: "push" } }] }, { kyverno: { target: "1.19" } });
      assert.equal(postureOf(raw).kyverno.policies, undefined);
    });

    it("is warned of where it weakens, and not where it does not", () => {
      assert.match(warningsOf(entry()).join("\n"), /an image of modulo.*any statement in one that a signer made/);
      assert.doesNotMatch(warningsOf(entry(bundles)).join("\n"), /any statement/);
      const roots = entry(bundles, { trust: custom({ tuf }) });
      assert.match(warningsOf(roots).join("\n"), /has roots alone/);
    });

    it("is an entry that could not be stored", () => {
      const signers = Array.from({ length: 130 }, (_, index) => ({
        github: { ...GITHUB, repository: `a/e-${index}` },
      }));
      const [problem] = problemsOf(() => compile(entry({ signers })));
      assert.match(problem!.found, /ImageValidatingPolicy .* takes \d+ bytes/);
      assert.match(problem!.fix, /fewer signers/);
    });

    it("is not many entries: they go on in further policies, each with its own webhook", () => {
      const images = Array.from({ length: 130 }, (_, index) => ({
        name: `e-${index}`,
        repositories: [`ghcr.io/e-${index}/*`],
        signers: [{ github: { ...GITHUB, repository: `a/e-${index}` } }],
      }));
      const raw = settings({ mode: "enforce", kyverno: FORM, images });
      const { policies, backstop } = compile(raw);
      const parts = policies.filter(({ metadata }) => /^require-signed-images(-part-\d+)?$/.test(metadata.name));
      const judging = parts.filter(({ kind }) => kind === "ImageValidatingPolicy");
      assert.deepEqual(
        judging.map(({ metadata }) => metadata.name),
        ["require-signed-images", "require-signed-images-part-2"],
      );
      const lists = judging.flatMap(({ spec }) => [...requirementsOfPolicy(spec as Json).keys()]);
      assert.deepEqual(
        lists,
        images.map((_, index) => `entry${index}`),
      );
      for (const { spec } of judging) assert.ok(JSON.stringify(spec).length < 480_000);
      assert.ok(JSON.stringify(backstop).includes("finegrained-require-signed-images-part-2'"));
    });
  });

  describe("what is made", () => {
    const made = () => compile(entry({}, { bypass: { groups: ["oncall"] } }));
    const named = (kind: string, policies: readonly Manifest[]) =>
      policies.filter((policy) => policy.kind === kind).map(({ metadata }) => metadata.name);

    it("has the names of the roles, each kind for its part, and no ClusterPolicy", () => {
      const { policies } = made();
      const both = ["require-signed-images", "verify-image-signatures"];
      const places = (name: string) => [name, `${name}-debug`, `${name}-templates`];
      assert.deepEqual(named("MutatingPolicy", policies), both.flatMap(places));
      assert.deepEqual(named("ImageValidatingPolicy", policies), [
        ...places(both[0]!),
        both[1]!,
        `${both[1]}-audit`,
        `${both[1]}-audit-templates`,
        `${both[1]}-debug`,
        `${both[1]}-templates`,
      ]);
      assert.deepEqual(named("ValidatingPolicy", policies), [
        "audit-unsigned-images",
        "audit-unsigned-images-templates",
        "guard-image-bypass",
        "guard-image-bypass-debug",
        "guard-image-bypass-ended",
        "guard-image-bypass-revisions",
        "guard-image-bypass-templates",
      ]);
      assert.deepEqual(named("ClusterPolicy", policies), []);
    });

    it("pins tags only where the stack does, and only where it enforces", () => {
      assert.deepEqual(named("MutatingPolicy", compile(entry({}, { tags: "keep" })).policies), []);
      assert.deepEqual(named("MutatingPolicy", compile(entry({}, { mode: "audit" })).policies), []);
    });

    it("never writes a field that 1.19 reads nowhere, and always those without which it would believe too much", () => {
      const signers = [{ github: GITHUB }, keyed, { certificate: { chain: authority.root.pem } }];
      const { policies } = compile(entry({ signers }, { trust: custom({ tuf }) }));
      const text = JSON.stringify(policies);
      for (const ignored of [
        "additionalExtensions",
        "subjectExpression",
        "rekorPubKey",
        "ctLogPubKey",
        '"roots"',
        "namespaceSelector",
      ])
        assert.ok(!text.includes(ignored), ignored);
      for (const policy of policies.filter(({ kind }) => kind === "ImageValidatingPolicy")) {
        const spec = policy.spec as Json & { attestors: { cosign: Json }[]; images: Json[] };
        assert.deepEqual(spec.validationConfigurations, { mutateDigest: false, verifyDigest: false, required: false });
        assert.deepEqual(spec.matchImageReferences, [{ glob: "*" }]);
        assert.deepEqual(
          spec.images.slice(0, 3).map(({ name, expression }) => [name, expression]),
          ["containers", "initContainers", "ephemeralContainers"].map((name) => [name, "[]"]),
        );
        assert.ok((spec.webhookConfiguration as Json).timeoutSeconds, "a webhook of its own");
        for (const { cosign } of spec.attestors) {
          const { keyless, ctlog, trustedRoot: anchors } = cosign as Record<string, Json>;
          if (keyless) assert.ok(anchors, "the stack's anchors");
          else assert.deepEqual(ctlog, { insecureIgnoreTlog: true, insecureIgnoreSCT: true });
        }
      }
    });

    it("leaves one rule of pods no chance to be taken for rules of controllers", () => {
      for (const { spec } of made().policies) {
        const { resourceRules } = (spec as { matchConstraints: { resourceRules: { resources: string[] }[] } })
          .matchConstraints;
        const ofPods = resourceRules.filter(({ resources }) => resources.includes("pods"));
        assert.notEqual(ofPods.length, 1);
      }
    });

    it("keeps no verdicts, and the backstop wants each refusing policy's webhook with its own conditions", () => {
      const { chartValues, backstop, policies } = made();
      const { container } = (chartValues as { admissionController: { container: { extraArgs: Json } } })
        .admissionController;
      assert.deepEqual(container.extraArgs, { imageVerifyCacheEnabled: "false" });
      const watched = (name: string) => JSON.stringify(backstop.find(({ metadata }) => metadata.name === name)?.spec);
      for (const [policy, prefix, by] of [
        ["require-signed-images", "ivpol", "validating"],
        ["verify-image-signatures-debug", "ivpol", "validating"],
        ["guard-image-bypass", "vpol", "validating"],
        ["require-signed-images", "mpol", "mutating"],
      ] as const)
        assert.ok(
          watched(`image-signing-guard-${by}-webhook`).includes(
            `${prefix}.validate.kyverno.svc-fail-finegrained-${policy}'`,
          ),
          policy,
        );
      assert.ok(!watched("image-signing-guard-validating-webhook").includes("-audit'"));
      assert.ok(!watched("image-signing-guard-validating-webhook").includes("-templates'"));
      const ready = backstop
        .map(({ metadata }) => metadata.name)
        .filter((name) => name.startsWith("image-signing-guard-ready"));
      assert.deepEqual(ready, ["image-signing-guard-ready-policies", "image-signing-guard-ready-policies-guards"]);
      assert.ok(policies.length > 0);
    });

    it("says of a namespace what the posture says", () => {
      const raw = entry(
        {},
        {
          namespaces: {
            production: ["prod-*", "shop"],
            overrides: [{ namespace: "shop-canary-*", mode: "audit", reason: "is being tried out" }],
          },
        },
      );
      const { policies } = postureOf(raw);
      const compiled = compile(raw);
      for (const plan of policies.filter(({ role }) => /^(require|verify)/.test(role))) {
        const spec = policyOf(compiled, plan.name).spec as { matchConditions: { name: string; expression: string }[] };
        const where = spec.matchConditions.find(({ name }) => name === "namespaces")?.expression ?? "";
        for (const namespace of [
          "prod-1",
          "shop",
          "shop-canary-1",
          "dev",
          "dev-anna",
          "apps",
          "kube-system",
          "kyverno",
          "prod",
        ])
          assert.equal(
            scopesHold(where, namespace),
            plan.scopes.some((scope) => scopeHas(scope, namespace)),
            `${plan.name} ${namespace}`,
          );
      }
      assert.equal(scopesHold("true", "apps"), false, "another's text holds for none");
    });

    it("is read back entry by entry, whatever its number", () => {
      const other = { name: "other", repositories: ["ghcr.io/other/*"], signers: [keyed] };
      const resolved = resolvePosture(settings({ mode: "enforce", kyverno: FORM, images: [MODULO, other] }), {
        now: NOW,
      });
      const policy = policiesOf(compile(settings({ mode: "enforce", kyverno: FORM, images: [MODULO, other] }))).find(
        ({ kind, metadata }) => kind === "ImageValidatingPolicy" && metadata.name === "require-signed-images",
      )!;
      const found = requirementsOfPolicy(policy.spec as Json);
      const wanted = resolved.posture.images.map((image) => requirementOfEntry(image, resolved));
      assert.deepEqual([...found.values()], wanted);
      assert.notDeepEqual(wanted[0], wanted[1]);
    });
  });

  describe("trust anchors", () => {
    it("are a trusted root that Sigstore's own library reads, each certificate with what issued it", () => {
      const [rekor, ctLog] = [newKeyPair().publicKey, newKeyPair().publicKey];
      const pems = [authority.intermediate.pem, authority.root.pem];
      const text = trustedRoot({
        fulcioCertificates: pems,
        rekor: { url: "https://rekor.example.com", publicKey: rekor },
        ctLogPublicKey: ctLog,
      });
      const material = toTrustMaterial(TrustedRoot.fromJSON(JSON.parse(text)));
      assert.deepEqual(
        material.certificateAuthorities.map(({ certChain }) => certChain.length),
        [2, 1],
      );
      assert.equal(material.tlogs.length, 1);
      assert.equal(material.ctlogs.length, 1);
      assert.equal(material.tlogs[0]!.publicKey.export({ type: "spki", format: "pem" }), rekor);
    });
  });

  describe("conditions of statements", () => {
    const all = (...lines: unknown[]) => [{ all: lines }];
    const line = (key: string, operator: string, value: unknown) => ({ key: `{{ ${key} }}`, operator, value });
    const IS_NUMBER = "(type(v) == int || type(v) == uint || type(v) == double)";
    for (const [what, conditions, cel] of [
      [
        "a text",
        all(line("a.b", "Equals", "x")),
        "(p.?a.?b.optMap(v, (type(v) == string && v.matches('^x$'))).orValue(false))",
      ],
      [
        "a wildcard, and what would be an expression",
        all(line("a", "Equals", "it's (a)\\*")),
        "(p.?a.optMap(v, (type(v) == string && v.matches('^it\\'s \\\\(a\\\\)\\\\\\\\.*$'))).orValue(false))",
      ],
      [
        "a boolean",
        all(line("a", "NotEquals", true)),
        "(p.?a.optMap(v, !((type(v) == bool && v == true))).orValue(false))",
      ],
      ["a number", all(line("a", "Equals", 3)), `(p.?a.optMap(v, (${IS_NUMBER} && double(v) == 3.0)).orValue(false))`],
      [
        "an order",
        all(line("a", "LessThan", 0.5)),
        `(p.?a.optMap(v, (${IS_NUMBER} && double(v) < 0.5)).orValue(false))`,
      ],
      [
        "a list",
        all(line("a", "AnyNotIn", ["x", "y*"])),
        "(p.?a.optMap(v, !(((type(v) == string && v.matches('^x$')) || (type(v) == string && v.matches('^y.*$'))))).orValue(false))",
      ],
      [
        "blocks",
        [{ any: [line("a", "Equals", true), line("b", "Equals", true)] }, ...all(line("c", "Equals", false))],
        "(p.?a.optMap(v, (type(v) == bool && v == true)).orValue(false) || p.?b.optMap(v, (type(v) == bool && v == true)).orValue(false)) && (p.?c.optMap(v, (type(v) == bool && v == false)).orValue(false))",
      ],
    ] as const)
      it(`are said in CEL: ${what}`, () => {
        assert.equal(conditionsToCel(conditions as never, "p"), cel);
      });
  });
});
