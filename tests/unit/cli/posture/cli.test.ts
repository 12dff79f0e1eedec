import { strict as assert } from "node:assert";
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { marker, span, toMarkdown } from "../../../../cli/posture/markdown";
import { readPreview } from "../../../../cli/posture/preview";
import { exitCode } from "../../../../cli/posture/result";
import { toJson } from "../../../../cli/posture/run";
import { compareStacks, compareWithRef } from "../../../../cli/posture/stackFiles";
import { comparePostures } from "../../../../components/posture/comparison/compare";
import { GUARD_TYPE } from "../../../../components/settings";
import { postureOf, settings } from "../../../support/settings";

const FIXTURES = path.join(__dirname, "../../fixtures/posture");
const recorded = (name: string) => fs.readFileSync(path.join(FIXTURES, `${name}.json`), "utf8");
const answer = (text: string, stack?: string) => comparePostures(readPreview(text, stack));
const URN = `urn:pulumi:dev::p::${GUARD_TYPE}::guard`;

function preview(before: unknown, after: unknown, op = "update"): string {
  const state = (posture: unknown) => ({ inputs: { posture } });
  return JSON.stringify({ steps: [{ op, urn: URN, oldState: state(before), newState: state(after) }] });
}

describe("posture: recorded previews of the real engine", () => {
  const expected: [name: string, verdict: string, code: number, says: RegExp][] = [
    ["create", "NEW", 0, /mode audit: `dev`.*every other namespace/],
    ["same-shown", "SAME", 0, /SAME/],
    ["same-hidden", "SAME", 0, /not among the steps/],
    ["enforce", "STRONGER", 0, /audit → enforce in `prod`/],
    ["signer-added", "WEAKER", 1, /signers added `release@example.com/],
    ["gone", "GONE", 1, /no image is checked any more/],
    ["renamed", "SAME", 0, /from `guard` to `guard2`/],
    ["unknown", "UNKNOWN", 1, /known only after the update/],
    ["secret", "UNKNOWN", 1, /is a secret/],
    ["failed-config", "UNKNOWN", 2, /NO ANSWER[\s\S]*image-signing-guard:mode: found "loud"/],
    ["failed-program", "UNKNOWN", 2, /the preview failed; see its log/],
    ["other-project", "UNKNOWN", 2, /no guard in this preview/],
  ];
  for (const [name, verdict, code, says] of expected) {
    it(`${name}: ${verdict}`, () => {
      const result = answer(recorded(name), "dev");
      const text = toMarkdown(result);
      assert.equal(result.verdict, verdict);
      assert.equal(exitCode(result, true), code);
      assert.match(text, says);
      assert.equal(text.split("\n")[0], "<!-- image-signing-guard:dev -->");
      assert.ok(text.split("\n").length <= 15);
    });
  }

  it("knows the component's type without loading it", () => {
    const source = fs.readFileSync(path.join(__dirname, "../../../../components/imageSigningGuard.ts"), "utf8");
    assert.match(source, /import \{[^}]*GUARD_TYPE[^}]*\} from "\.\/settings"/);
    assert.match(source, /super\(GUARD_TYPE, /);
  });

  it("is loud about half a document, no document, another document and another stack", () => {
    const whole = recorded("enforce");
    for (const [text, says] of [
      [whole.slice(0, whole.length / 2), /broken or only half/],
      ["", /printed nothing/],
      ["[]", /no preview/],
      ["null", /no preview/],
      [`warning: x\n${whole}`, /broken/],
    ] as const) {
      const result = answer(text, "dev");
      assert.match(toMarkdown(result), says);
      assert.equal(exitCode(result, false), 2);
    }
    assert.match(toMarkdown(answer(whole, "prod")), /of the stack `dev`/);
    assert.equal(answer(whole, "acme/site/dev").verdict, "STRONGER");
  });

  it("takes a field of another version for UNKNOWN, at any depth", () => {
    const posture = postureOf(settings());
    const later = { ...posture, trust: { ...posture.trust, believesAnybody: true } };
    const result = answer(preview(posture, later));
    assert.equal(result.verdict, "UNKNOWN");
    assert.match(toMarkdown(result), /`posture\.trust\.believesAnybody`/);
    const { tags: _, ...earlier } = posture;
    assert.equal(answer(preview(earlier, posture)).verdict, "UNKNOWN");
  });

  it("finds unknown and secret values inside", () => {
    const posture = postureOf(settings());
    const hide = (publicKey: string) => ({ ...posture, trust: { ...posture.trust, ctLogPublicKey: publicKey } });
    for (const value of ["04da6b54-80e4-46f7-96ec-b56ff0331ba9", "[secret]"])
      assert.equal(answer(preview(posture, hide(value))).verdict, "UNKNOWN");
  });
});

describe("posture: text", () => {
  const base = postureOf(settings());

  it("keeps values from becoming Markdown, HTML, mentions or another line", () => {
    for (const value of ["a`b` @octocat", "<img src=x>", "x\n# heading", "--> <b>", "\u202eabc", "[a](http://b)"]) {
      const text = span(value);
      assert.match(text, /^`[^`\n\u202e]+`$/);
      const rule = { ...base.images[0]!, name: value };
      const lines = toMarkdown(answer(preview(base, { ...base, images: [...base.images, rule] })));
      assert.ok(lines.includes(text), lines);
    }
    assert.equal(marker("a--><b>"), "<!-- image-signing-guard:a--__b_ -->");
  });

  it("shows no passwords in URLs and no private keys", () => {
    assert.equal(span("https://user:pw@host/x?token=abc"), "`https://***@host/x?***`");
    assert.equal(span("a://b c://d/e?f=g?h i?j=k"), "`a://b c://d/e?*** i?j=k`");
    const begin = performance.now();
    span("://".repeat(100_000));
    assert.ok(performance.now() - begin < 3000, "it looks at each place once");
    assert.ok(!span("-----BEGIN EC PRIVATE KEY-----\nabc").includes("abc"));
    const mirrored = (url: string) => ({ ...base, kyverno: { ...base.kyverno, imageRegistry: url } });
    const result = answer(preview(base, mirrored("https://user:hunter2@mirror")));
    assert.ok(!`${toMarkdown(result)}${JSON.stringify(toJson(result, 0))}`.includes("hunter2"));
  });

  it("tells long values apart that differ in the middle", () => {
    assert.notEqual(span(`${"a".repeat(80)}b${"c".repeat(80)}`), span(`${"a".repeat(80)}d${"c".repeat(80)}`));
  });

  it("counts what is weaker and stronger, sounds the alarm, and begins with the weakening", () => {
    const weaker = { ...base, tags: "keep" as const };
    const result = answer(preview(base, weaker));
    assert.match(
      toMarkdown(result),
      /^\*\*WEAKER\*\* :rotating_light: · stack .* \(1 weaker\) · <sub>docs\/posture\.md/m,
    );
    assert.match(toMarkdown(answer(preview(weaker, base))), /^\*\*STRONGER\*\* · stack .* \(1 stronger\)/m);
    assert.match(toMarkdown(answer(preview(base, base))), /^\*\*SAME\*\* · stack `[^`]+`: [^(]*$/m);
    const change = (strength: "weaker" | "stronger" | "none") => ({ about: strength, strength, text: ["x"] });
    const mixed = {
      ...result,
      verdict: "MIXED" as const,
      changes: (["none", "stronger", "weaker", "weaker"] as const).map(change),
    };
    const lines = toMarkdown(mixed).split("\n");
    assert.match(lines[1]!, /^\*\*MIXED\*\* :rotating_light: .* \(2 weaker, 1 stronger\)/);
    assert.deepEqual(
      lines.slice(2).map((line) => /(\w+): x$/.exec(line)![1]),
      ["weaker", "weaker", "stronger", "none"],
    );
  });

  it("names chart values that change, never what they are", () => {
    const release = (values: unknown) => ({ inputs: { values } });
    const urn =
      "urn:pulumi:dev::p::image-signing-guard:index:ImageSigningGuard$kubernetes:helm.sh/v3:Release::guard-kyverno";
    const cases: [before: unknown, after: unknown, named: string[]][] = [
      [{ a: { b: 1, c: [1] } }, { a: { b: 1, c: [1] } }, []],
      [{ a: { b: 1, c: [1] } }, { a: { b: "s3cret", c: [1, 2] } }, ["a.b", "a.c"]],
      [{ a: 1 }, { b: { c: null } }, ["a", "b"]],
      ["[secret]", { a: 1 }, []],
      [undefined, { a: 1 }, []],
    ];
    for (const [before, after, named] of cases) {
      const document = JSON.parse(preview(base, base)) as { steps: object[] };
      document.steps.push({ op: "update", urn, oldState: release(before), newState: release(after) });
      const result = answer(JSON.stringify(document));
      assert.equal(result.verdict, "SAME");
      const line = toMarkdown(result)
        .split("\n")
        .find((one) => one.startsWith("- chart values"));
      assert.equal(
        line,
        named.length === 0 ? undefined : `- chart values: ${named.map((path) => `\`${path}\``).join(", ")} differ`,
      );
      assert.ok(!toMarkdown(result).includes("s3cret"));
    }
  });

  it("counts the lines that it leaves out, the harmless ones", () => {
    const images = Array.from({ length: 30 }, (_, index) => ({
      ...base.images[0]!,
      name: `n${index}`,
      repositories: [`r.io/${index}`],
    }));
    const result = answer(preview(base, { ...base, images, tags: "keep" }));
    const lines = toMarkdown(result).split("\n");
    assert.equal(lines.length, 15);
    assert.match(lines[14]!, new RegExp(`${result.changes.length - 12} more lines`));
    assert.match(lines[2]!, /weaker|mixed/);
  });

  it("bears every verdict by a line", () => {
    const result = answer(preview(base, { ...base, policies: [] }));
    assert.equal(result.verdict, "WEAKER");
    assert.match(toMarkdown(result), /audit → not checked in `dev`/);
  });

  it("has a documented JSON shape", () => {
    const json = toJson(answer(recorded("signer-added"), "dev"), 0);
    assert.deepEqual(Object.keys(json), ["version", "stack", "verdict", "exitCode", "changes", "lacks", "failed"]);
  });
});

describe("posture: stack files", () => {
  let folder: string;
  const now = new Date("2026-06-01T12:00:00Z");
  const write = (stack: string, config: object) => {
    const keys = Object.entries(config).map(([key, value]) => [`image-signing-guard:${key}`, value]);
    fs.writeFileSync(path.join(folder, `Pulumi.${stack}.yaml`), JSON.stringify({ config: Object.fromEntries(keys) }));
  };
  const git = (...args: string[]) =>
    execFileSync("git", ["-c", "user.name=t", "-c", "user.email=t@example.com", ...args], {
      cwd: folder,
      stdio: "pipe",
    });
  before(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), "posture-test-"));
    git("init", "-q");
    write("dev", settings({ suspend: [{ policy: "all", reason: "a long reason", until: "2026-05-01T00:00:00Z" }] }));
    git("add", ".");
    git("commit", "-qm", "base");
    write("dev", settings({ tags: "keep" }));
    write("prod", settings({ mode: "enforce" }));
  });
  after(() => fs.rmSync(folder, { recursive: true }));

  it("compares with the file at a ref, whose suspensions may have ended", () => {
    assert.equal(comparePostures(compareWithRef("dev", "HEAD", { cwd: folder }, now)).verdict, "WEAKER");
    assert.equal(comparePostures(compareWithRef("prod", "HEAD", { cwd: folder }, now)).verdict, "NEW");
  });

  it("reads Pulumi.yaml, then as now", () => {
    const project = (tags: string) =>
      fs.writeFileSync(
        path.join(folder, "Pulumi.yaml"),
        `name: shop\nruntime: nodejs\nconfig: {"image-signing-guard:tags": ${tags}}\n`,
      );
    try {
      write("late", settings());
      project("pin");
      git("add", "Pulumi.yaml", "Pulumi.late.yaml");
      git("commit", "-qm", "with a project");
      project("keep");
      assert.equal(comparePostures(compareWithRef("late", "HEAD", { cwd: folder }, now)).verdict, "WEAKER");
      assert.equal(comparePostures(compareWithRef("a/shop/late", "HEAD~1", { cwd: folder }, now)).stack, "late");
    } finally {
      git("rm", "-qf", "Pulumi.yaml", "Pulumi.late.yaml");
    }
  });

  for (const side of ["then", "now"])
    it(`does not know what only Pulumi can open (${side})`, () => {
      const file = path.join(folder, "Pulumi.esc.yaml");
      write("esc", settings());
      const plain = fs.readFileSync(file, "utf8");
      const withEnvironment = JSON.stringify({ ...JSON.parse(plain), environment: ["shop/prod"] });
      fs.writeFileSync(file, side === "then" ? withEnvironment : plain);
      git("add", file);
      git("commit", "-qm", side);
      fs.writeFileSync(file, side === "then" ? plain : withEnvironment);
      const result = comparePostures(compareWithRef("esc", "HEAD", { cwd: folder }, now));
      assert.equal(result.verdict, "UNKNOWN");
      assert.equal(exitCode(result, false), 0);
      assert.equal(exitCode(result, true), 1);
      assert.match(toMarkdown(result), /shop\/prod/);
    });

  it("does not take two encrypted keys for the same", () => {
    const signers = [{ key: { publicKey: { secure: "v1:abc" } } }];
    write("key", settings({ images: [{ name: "a", repositories: ["ghcr.io/a/b"], signers }] }));
    const result = comparePostures(compareStacks("key", "key", { cwd: folder }, now));
    assert.equal(result.verdict, "UNKNOWN");
    assert.match(toMarkdown(result), /publicKey.* is encrypted/);
  });

  it("compares two stacks, the second being the measure", () => {
    assert.equal(comparePostures(compareStacks("prod", "dev", { cwd: folder }, now)).verdict, "STRONGER");
  });

  it("says so when there is no such stack, commit or name", () => {
    for (const question of [
      compareStacks("prod", "nosuch", { cwd: folder }, now),
      compareWithRef("dev", "--output=x", { cwd: folder }, now),
      compareWithRef("../dev", "HEAD", { cwd: folder }, now),
    ])
      assert.equal(exitCode(comparePostures(question), false), 2);
  });
});

describe("posture: chart values in stack files", () => {
  it("are named where they differ", () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "posture-values-"));
    const write = (stack: string, name: string) =>
      fs.writeFileSync(
        path.join(folder, `Pulumi.${stack}.yaml`),
        JSON.stringify({
          config: Object.fromEntries(
            Object.entries(settings({ kyverno: { values: { admissionController: { priorityClassName: name } } } })).map(
              ([key, value]) => [`image-signing-guard:${key}`, value],
            ),
          ),
        }),
      );
    write("a", "one");
    write("b", "two");
    const result = comparePostures(compareStacks("b", "a", { cwd: folder }, new Date("2026-06-01T12:00:00Z")));
    fs.rmSync(folder, { recursive: true });
    assert.match(toMarkdown(result), /^- chart values: `admissionController\.priorityClassName` differ$/m);
  });
});

describe("posture: size", () => {
  it("answers about a preview of 5 MB", () => {
    const document = JSON.parse(recorded("enforce")) as { steps: object[] };
    const child = {
      op: "create",
      urn: "urn:pulumi:dev::p::kubernetes:core/v1:ConfigMap::c",
      newState: { inputs: { data: "x".repeat(2000) } },
    };
    const steps = [...Array.from({ length: 2500 }, () => child), ...document.steps];
    const text = JSON.stringify({ ...document, steps });
    assert.ok(text.length > 5_000_000);
    assert.equal(answer(text).verdict, "STRONGER");
  });

  it("compares 200 entries with 200 others", () => {
    const many = (subject: string) => ({
      ...postureOf(settings()),
      images: Array.from({ length: 200 }, (_, index) => ({
        name: `n${index}`,
        repositories: [`ghcr.io/organisation/team-${index}/*`],
        signers: [{ kind: "keyless" as const, issuer: "https://i", subject: `${subject}${index}@*`, claims: {} }],
        threshold: 1,
        attestations: [],
      })),
    });
    assert.equal(answer(preview(many("a"), many("b"))).verdict, "MIXED");
  });
});
