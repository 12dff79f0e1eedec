import * as assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { refusalTable, TABLE_BEGIN, TABLE_END } from "../../../../cli/doctor/explain/docsTable";
import { describeExplanation, explain } from "../../../../cli/doctor/explain/explain";
import { KNOWN_REFUSALS } from "../../../../cli/refusals/causes";
import { disturbances, situations } from "../../../e2e/refusals";

const FIXTURES = path.join(__dirname, "../../fixtures/refusals");
const recorded = (name: string) => fs.readFileSync(path.join(FIXTURES, `${name}.txt`), "utf8");
const SUBJECT = "https://github.com/Ikey168/Modulo/.github/workflows/docker-build.yml@refs/heads/main";

describe("doctor explain: recorded refusals of Kyverno 1.10.7", () => {
  const all = [...situations, ...disturbances];
  for (const { name, means } of all) {
    it(`${name}: ${means.join(", ")}`, () => {
      const { findings, exitCode } = explain(recorded(name));
      assert.deepEqual(findings.map(({ id }) => id).sort(), [...means].sort());
      assert.equal(exitCode, 0);
    });
  }

  it("has a recording for every situation, and no other", () => {
    const files = fs.readdirSync(FIXTURES).map((file) => file.replace(/\.txt$/, ""));
    assert.deepEqual(files.sort(), all.map(({ name }) => name).sort());
  });

  for (const [means, text] of [
    [
      "backstop-webhooks",
      `pods "large-15" is forbidden: ValidatingAdmissionPolicy 'image-signing-guard-validating-webhook' with binding 'run-image-signing-guard-doctor-validating' denied request: failed to configure binding: no params found for policy binding with \`Deny\` parameterNotFoundAction`,
    ],
    [
      "backstop-policies",
      `policies.kyverno.io "own-0" is forbidden: ValidatingAdmissionPolicy 'image-signing-guard-namespaced-policies' with binding 'image-signing-guard-namespaced-policies' denied request: a Kyverno Policy of a namespace runs with Kyverno's own rights, so nobody may write one here.`,
    ],
  ] as const) {
    it(`knows what the API server itself refuses: ${means}`, () => {
      assert.deepEqual(
        explain(text, "prod").findings.map(({ id }) => id),
        [means],
      );
    });
  }

  it("names policy, image, signer and command of a refusal by an ImageValidatingPolicy, which has no rules", () => {
    const image = `ghcr.io/ikey168/modulo-backend:1.0@sha256:${"a".repeat(64)}`;
    const { webhook, findings, exitCode } = explain(
      `Error from server: admission webhook "ivpol.validate.kyverno.svc-fail-finegrained-require-signed-images" denied the request: Policy require-signed-images failed: no signature that counts for image ${image}: images ghcr.io/ikey168/modulo-* must be signed by ${SUBJECT} (issuer https://token.actions.githubusercontent.com). Why it does not count, image-signing-guard check IMAGE tells: it may have none, or a registry did not answer.`,
      "prod",
    );
    assert.equal(webhook, "ivpol.validate.kyverno.svc-fail-finegrained-require-signed-images");
    const [found] = findings;
    assert.equal(found!.id, "no-counting-signature");
    assert.equal(found!.policy, "require-signed-images");
    assert.equal(found!.image, image);
    assert.equal(found!.expected, `${SUBJECT} (issuer https://token.actions.githubusercontent.com)`);
    assert.equal(found!.commands[0], `image-signing-guard check ${image} --stack prod`);
    assert.equal(exitCode, 0);
    assert.match(describeExplanation({ version: 1, findings, exitCode }), /^policy: {3}require-signed-images$/m);
  });

  it("names the policy that could not pin a tag", () => {
    const [found] = explain(
      'admission webhook "mpol.validate.kyverno.svc-fail-finegrained-verify-image-signatures" denied the request: Resource: apps/name-6, Kind: Pod, Errors: [Policy verify-image-signatures: failed to evaluate policy: failed to get image data: GET https://ghcr.io/v2/a/b/manifests/latest: MANIFEST_UNKNOWN: Unknown manifest]',
    ).findings;
    assert.equal(found!.policy, "verify-image-signatures");
    assert.equal(found!.id, "not-found");
  });

  it("names policy, rule, image, both signers and the command", () => {
    const { resource, webhook, findings } = explain(recorded("wrong-workflow"), "prod");
    assert.equal(resource, "Pod/production/refused-2");
    assert.equal(webhook, "mutate.kyverno.svc-fail");
    const [found] = findings;
    assert.equal(found!.policy, "require-signed-images");
    assert.equal(found!.rule, "signed-by-modulo");
    assert.equal(found!.image, "ghcr.io/ikey168/modulo-backend:other-workflow");
    assert.equal(found!.expected, SUBJECT);
    assert.equal(found!.received, SUBJECT.replace("docker-build", "nightly"));
    assert.deepEqual(found!.commands, [
      "image-signing-guard check ghcr.io/ikey168/modulo-backend:other-workflow --stack prod -n production",
    ]);
  });

  it("takes the expected signer from the guard's advice where the message has none, for controllers too", () => {
    for (const name of ["unsigned", "unsigned-deployment"])
      assert.equal(
        explain(recorded(name)).findings[0]!.expected,
        `${SUBJECT} (issuer https://token.actions.githubusercontent.com)`,
      );
  });

  it("reads what kubectl, events and terminals make of it", () => {
    const text = recorded("unsigned");
    const wrapped = [
      `Error from server: error when creating "pod.yaml": ${text}`,
      `Error creating: ${text}`,
      text
        .split("\n")
        .map((line) => `    ${line}`)
        .join("\n"),
      text.replace(/\n/g, "\r\n"),
      `  Warning  FailedCreate  3s  replicaset-controller  Error creating: ${text}`,
      `${text}\n$ kubectl get pods`,
    ];
    for (const one of wrapped) {
      const { findings } = explain(one);
      assert.equal(findings.length, 1, one);
      assert.equal(findings[0]!.id, "no-matching-signatures");
      assert.equal(findings[0]!.policy, "require-signed-images", one);
    }
    // On one line nothing can be taken apart any more, but the message is known all the same.
    assert.equal(explain(text.replace(/\s+/g, " ")).findings[0]!.id, "no-matching-signatures");
  });

  it("says so when it does not know the message", () => {
    for (const text of [
      "pods is forbidden: exceeded quota",
      'admission webhook "x.example.com" denied the request: no',
      "???",
    ]) {
      const answer = explain(text);
      assert.equal(answer.exitCode, 1);
      assert.equal(answer.findings[0]!.id, undefined);
      assert.match(answer.findings[0]!.meaning, /not in the table/);
    }
  });

  it("keeps control characters and links out of the terminal", () => {
    const text = describeExplanation(explain("\u001b[2J no signatures found \u0007"));
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
    assert.ok(!/[\u0000-\u0009\u000b-\u001f]/.test(text));
    assert.match(text, /the format \(docs\/signing\.md\)/);
  });
});

describe("doctor explain: texts that somebody chose", () => {
  const LONG = 512 << 10;
  const many = (text: string) => text.repeat(LONG / text.length);
  const failed = "failed to verify image ghcr.io/a/b:1: .attestors[0].entries[0].keys: ";
  const TEXTS: [what: string, text: string][] = [
    ["one word", many("a")],
    ["words", many("a ")],
    ["spaces", many(" ")],
    ["a vault in each place", `${failed}failed to load public key from awskms://a: ${many("vault.azure")}`],
    ["no host", `${failed}failed to load public key from awskms://a: ${many("no such host")}`],
    ["requests that end", `${failed}${many("request canceled ")} Client.Timeout`],
    ["signatures", `${failed}no matching signatures:\n${many("a\n b")}`],
    [
      "rules",
      `x was blocked due to the following policies\na:\n${Array.from({ length: 7000 }, (_, at) => `  signed-by-${at}: b\n`).join("")}`,
    ],
    ["advice", `x was blocked due to the following policies\na:\n  what-to-do-b: ${many("must be signed by ")}\n`],
  ];
  for (const [what, text] of TEXTS)
    it(`are looked through once, however long: ${what}`, () => {
      const begin = performance.now();
      explain(text);
      const took = performance.now() - begin;
      assert.ok(took < 8000, `${Math.round(took)} ms`);
    });

  it("stand in no command that a shell would read otherwise", () => {
    for (const image of ["ghcr.io/a/$(id)", "ghcr.io/a/b:1;id", "ghcr.io/a/`id`", "--help", "$'", "ghcr.io/a|b"]) {
      const { commands } = explain(`no signer is configured for ${image}`, "prod").findings[0]!;
      assert.ok(commands.length > 0);
      for (const command of commands) assert.doesNotMatch(command, /[$`;|']|--help/, image);
    }
    const { commands } = explain("no signer is configured for ghcr.io/a/b:1", "prod").findings[0]!;
    assert.match(commands.join(), /ghcr\.io\/a\/b:1/);
  });
});

describe("doctor explain: table", () => {
  it("is that of docs/troubleshooting.md", () => {
    const page = fs.readFileSync(path.join(__dirname, "../../../../docs/troubleshooting.md"), "utf8");
    const [begin, end] = [page.indexOf(TABLE_BEGIN), page.indexOf(TABLE_END)];
    assert.ok(begin >= 0 && end > begin);
    assert.equal(page.slice(begin, end + TABLE_END.length), refusalTable());
  });

  it("has each id once, and every shown text finds its own entry", () => {
    assert.equal(new Set(KNOWN_REFUSALS.map(({ id }) => id)).size, KNOWN_REFUSALS.length);
    for (const { id, all } of KNOWN_REFUSALS) {
      for (const pattern of all) assert.doesNotThrow(() => new RegExp(pattern), id);
    }
  });
});
