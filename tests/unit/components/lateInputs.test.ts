import * as assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import type { ImageSigningGuardArgs } from "../../../components/args";
import { guardArgsFromConfig } from "../../../components/config";
import { ImageSigningGuard } from "../../../components/imageSigningGuard";
import { UNKNOWN_VALUE } from "../../../components/unknownValue";
import { type MockStack, runStack, unknownOutput } from "../../support/mockStack";
import { newAuthority, newKeyPair } from "../../support/pems";
import { GITHUB, MODULO, settings } from "../../support/settings";

const { publicKey } = newKeyPair();
const log = newKeyPair().publicKey;
let authority: string;

/** Each with something that is known late; `late` makes what stands there of the value itself. */
type Late = <T>(value: T) => T;
const signers = (signer: unknown) => ({ images: [{ ...MODULO, signers: [signer] }] });
const trust = (changes: object) => ({
  trust: {
    root: "custom",
    fulcioCertificates: authority,
    ctLogPublicKey: log,
    rekor: { url: "https://rekor.example.com", publicKey: log },
    ...changes,
  },
});
const CASES: Readonly<Record<string, (late: Late) => Record<string, unknown>>> = {
  "key.publicKey": (late) => signers({ key: { publicKey: late(publicKey) } }),
  "key.kms": (late) => signers({ key: { kms: late("awskms:///alias/cosign") } }),
  "certificate.chain": (late) => signers({ certificate: { chain: late(authority) } }),
  "attestations[].signers[].key.kms": (late) => ({
    images: [
      {
        ...MODULO,
        attestations: [
          {
            predicateType: "https://slsa.dev/provenance/v1",
            signers: [{ key: { kms: late("gcpkms://projects/p/locations/l/keyRings/r/cryptoKeys/k/versions/1") } }],
          },
        ],
      },
    ],
  }),
  "trust.fulcioCertificates": (late) => trust({ fulcioCertificates: late(authority) }),
  "trust.ctLogPublicKey": (late) => trust({ ctLogPublicKey: late(log) }),
  "trust.rekor": (late) => trust({ rekor: { url: late("https://rekor.example.com"), publicKey: late(log) } }),
  "kyverno.chart.repository": (late) => ({ kyverno: { chart: { repository: late("https://charts.example.com") } } }),
  "kyverno.imageRegistry": (late) => ({ kyverno: { imageRegistry: late("mirror.example.com/hub") } }),
  "kyverno.imagePullSecrets[]": (late) => ({ kyverno: { imagePullSecrets: [late("pull"), "other"] } }),
  "kyverno.registrySecrets[]": (late) => ({ kyverno: { registrySecrets: ["other", late("reads-signatures")] } }),
  "kyverno.registryIdentity.awsRoleArn": (late) => ({
    kyverno: { registryIdentity: { awsRoleArn: late("arn:aws:iam::123456789012:role/kyverno") } },
  }),
  "kyverno.registryIdentity.azureClientId": (late) => ({
    kyverno: { registryIdentity: { azureClientId: late("00000000-0000-0000-0000-000000000001") } },
  }),
  "kyverno.registryIdentity.googleServiceAccount": (late) => ({
    kyverno: { registryIdentity: { googleServiceAccount: late("kyverno@project.iam.gserviceaccount.com") } },
  }),
  "trust of a signer": (late) =>
    signers({ github: GITHUB, trust: { fulcioCertificates: late(authority), acceptNoTransparencyLog: true } }),
  "kyverno.registryCa": (late) => ({ kyverno: { registryCa: late(authority) } }),
  "kyverno.proxy.https": (late) => ({ kyverno: { proxy: { https: late("http://proxy.example.com:3128") } } }),
  "kyverno.values": (late) => ({
    kyverno: { values: late({ admissionController: { nodeSelector: { a: "inner-secret" } } }) },
  }),
  "kyverno.values, inside": (late) => ({
    kyverno: { values: { admissionController: { nodeSelector: { a: late("inner-secret") } } } },
  }),
  "monitoring.policyReporter": (late) => ({
    monitoring: {
      policyReporter: {
        enabled: true,
        chart: { repository: late("https://charts.example.com") },
        values: { target: { slack: { webhook: late("https://hooks.example.com/x") } } },
      },
    },
  }),
  "monitoring.runbookBaseUrl, alertLabels": (late) => ({
    monitoring: {
      prometheusOperator: true,
      runbookBaseUrl: late("https://wiki.example.com/alerts"),
      alertLabels: { team: late("team-secret") },
    },
  }),
  bypass: (late) => ({
    bypass: { groups: [late("oncall")], users: [late("alice")], serviceAccounts: [late("ops:glass")] },
  }),
  runbookUrl: (late) => ({ runbookUrl: late("https://wiki.example.com/bypass") }),
};

const argsOf = (changes: Record<string, unknown>) =>
  settings({ mode: "enforce", readiness: { canary: false }, ...changes }) as unknown as ImageSigningGuardArgs;
const run = (args: ImageSigningGuardArgs, preview = false) =>
  runStack(() => new ImageSigningGuard("guard", args), { preview });
const inputsOf = ({ resources }: MockStack) => Object.fromEntries(resources.map(({ name, inputs }) => [name, inputs]));

describe("what is known late", () => {
  before(async () => {
    authority = (await newAuthority()).root.pem;
  });

  for (const [what, changes] of Object.entries(CASES))
    describe(what, () => {
      it("gives the same resources as if it were plain, and no secret", async () => {
        const plain = await run(argsOf(changes((value) => value)));
        const late = await run(argsOf(changes((value) => pulumi.output(value) as never)));
        assert.deepEqual(inputsOf(late), inputsOf(plain));
        for (const { name, secretInputs } of late.resources) assert.deepEqual(secretInputs, [], name);
      });

      it("not known in a preview, shows the same resources", async () => {
        const plain = await run(argsOf(changes((value) => value)), true);
        const late = await run(argsOf(changes(() => unknownOutput() as never)), true);
        assert.deepEqual(late.resources.map(({ name }) => name).sort(), plain.resources.map(({ name }) => name).sort());
        // Pulumi takes the marker for unknown where it stands alone, not inside a text.
        const whole = JSON.stringify(inputsOf(late)).replaceAll(`"${UNKNOWN_VALUE}"`, "");
        assert.ok(!whole.includes(UNKNOWN_VALUE), "makes something of the marker");
      });

      it("as a secret, stays one in everything that is made of it, and makes no other", async () => {
        const marked: unknown[] = [];
        const plain = await run(argsOf(changes((value) => value)));
        const late = await run(
          argsOf(
            changes((value) => {
              marked.push(value);
              return pulumi.secret(value) as never;
            }),
          ),
        );
        assert.deepEqual(inputsOf(late), inputsOf(plain));
        const texts = marked.map((value) =>
          typeof value === "string" ? JSON.stringify(value).slice(1, -1) : "inner-secret",
        );
        const isMade = (value: unknown) => texts.some((text) => JSON.stringify(value).includes(text));
        for (const { name, inputs, secretInputs, readable } of late.resources) {
          assert.ok(!isMade(readable), `${name} shows it`);
          // The trust files' name has a hash of them, and the chart's values have that name.
          const others = secretInputs.filter((input) => !isMade(inputs[input]) && !/^trust|registryCa/.test(what));
          assert.deepEqual(others, [], name);
        }
        assert.ok(late.resources.some(({ secretInputs }) => secretInputs.length > 0));
      });
    });

  it("is found wrong without being shown, where it is a secret", async () => {
    const args = argsOf(signers({ key: { publicKey: pulumi.secret("hunter2-hunter2") } }));
    await assert.rejects(run(args), (error: Error) => {
      assert.match(error.message, /images\[0\]\.signers\[0\]\.key\.publicKey/);
      return !error.message.includes("hunter2");
    });
  });
});

describe("an encrypted setting", () => {
  afterEach(() => pulumi.runtime.setAllConfig({}));
  const config = (given: Record<string, unknown>, secret: string[]) =>
    pulumi.runtime.setAllConfig(
      Object.fromEntries(
        Object.entries(given).map(([key, value]) => [
          `image-signing-guard:${key}`,
          typeof value === "string" ? value : JSON.stringify(value),
        ]),
      ),
      secret.map((key) => `image-signing-guard:${key}`),
    );

  it("of chart values is secret in the release, and everything else readable", async () => {
    const given = settings({
      mode: "enforce",
      readiness: { canary: false },
      kyverno: { replicas: 3, values: { admissionController: { podAnnotations: { token: "s3cr3t" } } } },
    });
    config(given, ["kyverno"]);
    const { resources } = await runStack(() => new ImageSigningGuard("guard", guardArgsFromConfig()));
    assert.ok(!JSON.stringify(resources.map(({ readable }) => readable)).includes("s3cr3t"));
    const secret = resources.filter(({ secretInputs }) => secretInputs.length > 0);
    assert.deepEqual(
      secret.map(({ name, secretInputs }) => [name, secretInputs]),
      [["guard-kyverno", ["values"]]],
    );
  });

  it("that is wrong is told without it", () => {
    config(settings({ kyverno: { imageRegistry: ["s3cr3t"], namespace: "S3CR3T" }, runbookUrl: "s3cr3t" }), [
      "kyverno",
      "runbookUrl",
    ]);
    assert.throws(guardArgsFromConfig, (error: Error) => {
      assert.match(error.message, /3 problems/);
      return !/s3cr3t/i.test(error.message);
    });
  });

  it("of a plain word is taken as it is", () => {
    config(settings({ mode: "enforce", runbookUrl: "https://wiki.example.com/x" }), ["mode", "runbookUrl"]);
    const args = guardArgsFromConfig();
    assert.equal(args.mode, "enforce");
    assert.ok(pulumi.Output.isInstance(args.runbookUrl));
  });
});
