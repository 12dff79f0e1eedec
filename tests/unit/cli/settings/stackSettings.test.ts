import * as assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { atCommit, onDisk } from "../../../../cli/settings/files";
import { findProject } from "../../../../cli/settings/project";
import { stackConfig } from "../../../../cli/settings/stackConfig";
import { PulumiOnlyError, type ReadOptions, readStackSettings } from "../../../../cli/settings/stackSettings";
import { problemsOf } from "../../../support/problems";
import { filesOf, REFUSED_CONFIGS, STACK_CONFIGS } from "../../../support/stackConfigs";

describe("settings read without an engine", () => {
  let folder = "";
  beforeEach(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), "guard-settings-"));
    warnings = [];
  });
  afterEach(() => fs.rmSync(folder, { recursive: true }));
  const write = (files: Record<string, string>) => {
    for (const [name, text] of Object.entries(files)) {
      fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
      fs.writeFileSync(path.join(folder, name), text);
    }
  };
  let warnings: string[] = [];
  const warn = (text: string) => warnings.push(text);
  const read = (stack = "prod", options: ReadOptions = {}, at = folder) =>
    readStackSettings(stack, at, { warn, ...options });
  const mode = (value = "enforce") => `config: {"image-signing-guard:mode": ${value}}\n`;

  describe("are what Pulumi reads:", () => {
    const config = () =>
      Object.fromEntries(
        stackConfig(onDisk.read(path.join(folder, "Pulumi.prod.yaml")), "Pulumi.prod.yaml", findProject(folder, onDisk))
          .config,
      );
    const asBlock = (text: unknown) =>
      typeof text === "string" && /^[[{]/.test(text) ? JSON.parse(text) : (text ?? null);

    for (const one of STACK_CONFIGS)
      it(one.rule, () => {
        write(filesOf(one));
        const found = config();
        for (const [key, value] of Object.entries(one.gives)) assert.deepEqual(asBlock(found[key]), value, key);
      });

    for (const { found, ...one } of REFUSED_CONFIGS)
      it(`refused: ${one.rule}`, () => {
        write(filesOf(one));
        const [problem, ...more] = problemsOf(config);
        assert.match(problem!.found, found);
        assert.deepEqual(more, []);
      });

    it("refused: another type than the project's", () => {
      write(filesOf({ project: "x: {type: integer}", stack: "x: a" }));
      assert.match(problemsOf(config)[0]!.found, /no integer/);
    });
  });

  const P = "name: shop\nruntime: nodejs\n";
  const STAGES: readonly [rule: string, files: Record<string, string>, stack: string, at: string][] = [
    ["beside Pulumi.yaml", { "Pulumi.yaml": P, "Pulumi.prod.yaml": mode() }, "prod", "."],
    ["without any Pulumi.yaml", { "Pulumi.prod.yaml": mode() }, "prod", "."],
    ["in stackConfigDir", { "Pulumi.yaml": `${P}stackConfigDir: st\n`, "st/Pulumi.prod.yaml": mode() }, "prod", "."],
    [
      "in the old form of stackConfigDir",
      { "Pulumi.yaml": `${P}config: st\n`, "st/Pulumi.prod.yaml": mode() },
      "prod",
      ".",
    ],
    ["above", { "Pulumi.yaml": P, "Pulumi.prod.yaml": mode(), "src/deep/x": "" }, "prod", "src/deep"],
    [
      "above, not beside",
      { "Pulumi.yaml": P, "Pulumi.prod.yaml": mode(), "src/Pulumi.prod.yaml": mode("audit") },
      "prod",
      "src",
    ],
    [
      "of a project in .yml",
      { "Pulumi.yml": P, "Pulumi.prod.yml": mode(), "Pulumi.prod.yaml": mode("audit") },
      "prod",
      ".",
    ],
    [
      "of a project in JSON",
      {
        "Pulumi.json": '{"name":"shop","runtime":"nodejs"}',
        "Pulumi.prod.json": JSON.stringify({ config: { "image-signing-guard:mode": "enforce" } }),
      },
      "prod",
      ".",
    ],
    [
      "in JSON before YAML",
      {
        "Pulumi.json": '{"name":"shop"}',
        "Pulumi.yaml": P,
        "Pulumi.prod.json": '{"config":{"image-signing-guard:mode":"enforce"}}',
      },
      "prod",
      ".",
    ],
    ["by its whole name", { "Pulumi.yaml": P, "Pulumi.prod.yaml": mode() }, "acme/shop/prod", "."],
    ["by organisation and name", { "Pulumi.yaml": P, "Pulumi.prod.yaml": mode() }, "acme/prod", "."],
    ["from Pulumi.yaml alone", { "Pulumi.yaml": `${P}${mode()}` }, "prod", "."],
    ["after a byte order mark", { "Pulumi.yaml": `\uFEFF${P}`, "Pulumi.prod.yaml": `\uFEFF${mode()}` }, "prod", "."],
    [
      "from the first document of several",
      { "Pulumi.yaml": P, "Pulumi.prod.yaml": `${mode()}---\n${mode("audit")}` },
      "prod",
      ".",
    ],
  ];
  for (const [rule, files, stack, at] of STAGES)
    it(`are found ${rule}`, () => {
      write(files);
      assert.deepEqual(read(stack, {}, path.join(folder, at)), { mode: "enforce" });
    });

  it("are those of the guard, with blocks", () => {
    write({ "Pulumi.prod.yaml": "config:\n  image-signing-guard:images: [{name: a}]\n  aws:region: x\n" });
    assert.deepEqual(read(), { images: [{ name: "a" }] });
  });

  it("are none where the file has no config", () => {
    for (const text of ["", "encryptionsalt: v1:x\n", "config: {}\n", "config:\n"]) {
      write({ "Pulumi.prod.yaml": text });
      assert.deepEqual(read(), {}, JSON.stringify(text));
    }
  });

  it("of a stack without file are refused with the stacks that there are", () => {
    write({ "Pulumi.yaml": `${P}stackConfigDir: st\n`, "st/Pulumi.test.yaml": "" });
    const [problem] = problemsOf(read);
    assert.equal(problem!.key, "--stack");
    assert.match(problem!.allowed, /one of test$/);
    assert.equal(problemsOf(() => read("prod", {}, path.join(folder, "nowhere"))).length, 1);
  });

  const UNSURE: readonly [rule: string, files: Record<string, string>, stack: string, warning: RegExp | undefined][] = [
    [
      "without file, where others have one",
      { "Pulumi.yaml": `${P}${mode()}`, "Pulumi.prod.yaml": "", "Pulumi.yaml.bak": "", "Pulumi..yaml": "" },
      "prdo",
      /no \S+Pulumi\.prdo\.yaml, so this is what Pulumi\.yaml says for any stack \(.*: prod\)$/,
    ],
    ["without file, where none has one", { "Pulumi.yaml": `${P}${mode()}` }, "acme/shop/prod", /no stack\)$/],
    ["with an empty file", { "Pulumi.yaml": `${P}${mode()}`, "Pulumi.prod.yaml": "" }, "prod", undefined],
  ];
  for (const [rule, files, stack, warning] of UNSURE)
    it(`of a stack ${rule}: ${warning ? "a warning" : "none"}`, () => {
      write(files);
      assert.deepEqual(read(stack), { mode: "enforce" });
      assert.equal(warnings.length, warning ? 1 : 0);
      if (warning) assert.match(warnings[0]!, warning);
    });

  const NAMES: readonly [stack: string, files: Record<string, string>, fix: RegExp][] = [
    ["Prod", { "Pulumi.yaml": P, "Pulumi.prod.yaml": mode() }, /did you mean prod\?/],
    ["prd", { "Pulumi.yaml": P, "Pulumi.prod.yaml": mode(), "Pulumi.test.yaml": "" }, /did you mean prod\?/],
    ["Pulumi.prod.yaml", { "Pulumi.yaml": P, "Pulumi.prod.yaml": mode() }, /did you mean prod\?/],
    ["prod", { "Pulumi.yaml": P, "Pulumi.prod.yml": mode() }, /rename Pulumi\.prod\.yml to Pulumi\.prod\.yaml/],
    ["prod", { "Pulumi.yaml": P, "Pulumi.test.yaml": "" }, /--cwd/],
  ];
  for (const [stack, files, fix] of NAMES)
    it(`of a stack ${stack} beside ${Object.keys(files).at(-1)} are refused with ${fix}`, () => {
      write(files);
      assert.match(problemsOf(() => read(stack))[0]!.fix, fix);
    });

  const MISPLACED: readonly [what: string, text: string | Buffer, found: RegExp, fix: RegExp][] = [
    ["settings beside config", "image-signing-guard:mode: enforce\n", /nothing reads there/, /below config:/],
    ["an environment as a text", `environment: shop/prod\n${mode()}`, /a text/, /as a list/],
    ["UTF-16", Buffer.from(`\uFEFF${mode()}`, "utf16le"), /no UTF-8/, /as UTF-8/],
    ["Latin-1", Buffer.from("config: {a: '\xe9'}\n", "latin1"), /no UTF-8/, /as UTF-8/],
  ];
  for (const [what, text, found, fix] of MISPLACED)
    it(`with ${what} are refused`, () => {
      write({ "Pulumi.yaml": P });
      fs.writeFileSync(path.join(folder, "Pulumi.prod.yaml"), text);
      const [problem, ...more] = problemsOf(read);
      assert.match(problem!.found, found);
      assert.match(problem!.fix, fix);
      assert.deepEqual(more, []);
    });

  it("of another project's stack are refused", () => {
    write({ "Pulumi.yaml": P, "Pulumi.prod.yaml": mode() });
    assert.match(problemsOf(() => read("acme/other/prod"))[0]!.found, /project other/);
    assert.match(problemsOf(() => read("a/b/c/d"))[0]!.allowed, /organisation\/project\/name/);
  });

  describe("with an encrypted value", () => {
    const secure = "{secure: v1:abc}";
    const READINGS: readonly [config: string, options: ReadOptions, gives: unknown | RegExp][] = [
      [`readiness: {kubeconfig: ${secure}, context: a}`, {}, { readiness: { context: "a" } }],
      [`readiness: {kubeconfig: ${secure}}`, { without: "kubeconfig" }, { readiness: {} }],
      [`readiness: {kubeconfig: {users: [{token: ${secure}}]}}`, {}, { readiness: {} }],
      [`readiness: ${secure}`, {}, {}],
      [`kyverno: {replicas: 3, values: {a: 1}, namespace: ${secure}}`, {}, /kyverno\.namespace/],
      [`kyverno: {values: {a: ${secure}}}`, { without: "kubeconfig" }, /kyverno\.values\.a/],
      [`kyverno: ${secure}`, { without: "anything" }, /image-signing-guard:kyverno$/],
      [`mode: ${secure}`, { without: "anything" }, /image-signing-guard:mode/],
      [`trust: {ctLogPublicKey: ${secure}}`, {}, /trust\.ctLogPublicKey/],
    ];
    for (const [config, options, gives] of READINGS)
      it(`${config}, a command that does without ${options.without ?? "values"}`, () => {
        write({ "Pulumi.prod.yaml": `config:\n  image-signing-guard:${config}\n` });
        if (!(gives instanceof RegExp)) return assert.deepEqual(read("prod", options), gives);
        assert.throws(() => read("prod", options), PulumiOnlyError);
        const [problem, ...more] = problemsOf(() => read("prod", options));
        assert.match(problem!.key, gives);
        assert.ok(!JSON.stringify(problem).includes("v1:abc"));
        assert.deepEqual(more, []);
      });

    it("among chart values are read around it", () => {
      write({ "Pulumi.prod.yaml": `config:\n  image-signing-guard:kyverno: {values: {a: 1, b: ${secure}}}\n` });
      const { kyverno } = read() as { kyverno: { values: Record<string, unknown> } };
      assert.equal(kyverno.values.a, 1);
      assert.equal(typeof kyverno.values.b, "string");
    });
  });

  describe("with an environment of Pulumi ESC", () => {
    const READINGS: readonly [environment: string, matters: boolean][] = [
      ["[shop/prod]", true],
      ["{imports: [a]}", true],
      ["{imports: [{a: {merge: false}}]}", true],
      ["{values: {pulumiConfig: {'image-signing-guard:mode': audit}}}", true],
      ["[]", false],
      ["{values: {environmentVariables: {A: b}}}", false],
    ];
    for (const [environment, matters] of READINGS)
      it(`${environment} ${matters ? "can't be told offline" : "are what the file says"}`, () => {
        write({ "Pulumi.prod.yaml": `environment: ${environment}\n${mode()}` });
        if (!matters) return assert.deepEqual(read(), { mode: "enforce" });
        assert.throws(read, PulumiOnlyError);
        assert.match(problemsOf(read)[0]!.fix, /--ask-pulumi/);
      });
  });

  describe("asked of Pulumi", () => {
    const PEM = "-----BEGIN PUBLIC KEY-----";
    const answers = (script: string) => {
      write({
        "bin/pulumi": `#!/bin/sh\n${script}\n`,
        "Pulumi.yaml": P,
        "Pulumi.prod.yaml": "environment: [shop/prod]\n",
      });
      fs.chmodSync(path.join(folder, "bin/pulumi"), 0o755);
    };
    const asked = (without: ReadOptions["without"]) => {
      const { PATH } = process.env;
      process.env.PATH = `${path.join(folder, "bin")}:/usr/bin:/bin`;
      try {
        return read("acme/shop/prod", { askPulumi: true, ...(without ? { without } : {}) });
      } finally {
        process.env.PATH = PATH;
      }
    };
    const listed = {
      "image-signing-guard:mode": { value: "enforce", secret: false },
      "image-signing-guard:images": {
        value: JSON.stringify([{ name: "a", signers: [{ key: { publicKey: PEM } }] }]),
        secret: true,
      },
      "image-signing-guard:kyverno": { value: JSON.stringify({ replicas: 3, values: { a: "s3cret" } }), secret: true },
      "aws:region": { value: "x", secret: false },
    };

    it("come with its environments, and secrets only where a command needs them", () => {
      answers(
        `test "$*" = "config --json --show-secrets --non-interactive --stack acme/shop/prod" && echo '${JSON.stringify(listed)}'`,
      );
      const settings = asked("values");
      assert.equal(settings.mode, "enforce");
      assert.deepEqual(settings.images, [{ name: "a", signers: [{ key: { publicKey: PEM } }] }]);
      assert.equal((settings.kyverno as { replicas: number }).replicas, 3);
      assert.ok(!JSON.stringify(settings).includes("s3cret"));
      assert.ok(JSON.stringify(asked("anything").images).includes(PEM));
      const keys = problemsOf(() => asked("kubeconfig")).map(({ key }) => key.replace("image-signing-guard:", ""));
      assert.deepEqual(keys, ["images[0].signers[0].key.publicKey", "kyverno.values.a"]);
    });

    it("are refused with what Pulumi said", () => {
      answers("echo first; echo 'error: no login' >&2; exit 255");
      assert.match(problemsOf(() => asked(undefined))[0]!.found, /failed: error: no login$/);
      answers("echo nonsense");
      assert.match(problemsOf(() => asked(undefined))[0]!.found, /no JSON/);
      fs.rmSync(path.join(folder, "bin/pulumi"));
      assert.match(problemsOf(() => asked(undefined))[0]!.found, /no program pulumi/);
    });
  });

  it("that are no YAML or JSON are refused with the place and without the text", () => {
    const token = "eyJhbGciOiJSUzI1NiJ9";
    for (const text of [
      `a: [${token}\n`,
      `a: *${token}\n`,
      `a: b\n  a: ${token}\n`,
      `a: "${token}\nb`,
      `\t${token}: ${token}: c`,
    ]) {
      write({ "Pulumi.prod.yaml": `config:\n  ${text}` });
      const [problem] = problemsOf(read);
      assert.match(problem!.found, /line \d|aliases/, text);
      assert.ok(!JSON.stringify(problem).includes(token), text);
    }
    write({ "Pulumi.json": '{"name":"a"}', "Pulumi.prod.json": `{"a":${token}}` });
    assert.ok(!JSON.stringify(problemsOf(read)).includes(token));
  });

  it("with aliases that grow without end are refused", () => {
    const lines = Array.from({ length: 12 }, (_, n) => `a${n + 1}: &a${n + 1} [${`*a${n},`.repeat(10)}]`);
    write({ "Pulumi.prod.yaml": `a0: &a0 x\n${lines.join("\n")}\n` });
    assert.match(problemsOf(read)[0]!.found, /aliases/);
  });

  describe("at a commit", () => {
    const git = (...args: string[]) =>
      execFileSync("git", ["-c", "user.name=t", "-c", "user.email=t@example.com", ...args], {
        cwd: folder,
        stdio: "pipe",
      });
    it("are those of its own project file, in a folder below, also through links", () => {
      write({
        "infra/Pulumi.yaml": `${P}stackConfigDir: st\n${mode()}`,
        "infra/st/Pulumi.dev.yaml": "",
        "infra/x/y": "",
      });
      fs.symlinkSync("Pulumi.dev.yaml", path.join(folder, "infra/st/Pulumi.link.yaml"));
      git("init", "-q");
      git("add", ".");
      git("commit", "-qm", "base");
      write({ "infra/Pulumi.yaml": `${P}${mode("audit")}` });
      const past = atCommit("HEAD", path.join(folder, "infra", "x"))!;
      for (const stack of ["dev", "link"])
        assert.deepEqual(read(stack, { files: past.files }, past.folder), { mode: "enforce" });
      assert.deepEqual(past.files.list(path.join(past.folder, "..", "st")).sort(), [
        "Pulumi.dev.yaml",
        "Pulumi.link.yaml",
      ]);
      assert.equal(past.files.read(path.join(past.folder, "..", "..", "..", "etc")), undefined);
      assert.equal(atCommit("nosuch", folder), undefined);
    });
  });
});
