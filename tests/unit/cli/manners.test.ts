import * as assert from "node:assert/strict";
import { spawn } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import Ajv2020 from "ajv/dist/2020";
import type { Command } from "commander";
import { program } from "../../../cli/main";
import { hasColours, paint } from "../../../cli/terminal/colours";
import { Progress } from "../../../cli/terminal/progress";
import { type Answerer, type FakeApi, startFakeApi, status } from "../../support/fakeApi";

const ROOT = path.join(__dirname, "../../..");
const FIXTURES = path.join(ROOT, "tests/unit/fixtures");

interface Done {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** The command as a process of its own, whose output goes into pipes. */
function run(
  args: readonly string[],
  { input, env = {} }: { input?: string; env?: NodeJS.ProcessEnv } = {},
): Promise<Done> {
  const command = ["-r", "ts-node/register/transpile-only", "cli/main.ts", ...args];
  // No way out: registries are not what is tested here.
  const child = spawn(process.execPath, command, {
    cwd: ROOT,
    env: { ...process.env, KUBECONFIG: "", HTTPS_PROXY: "http://127.0.0.1:1", ...env },
  });
  let [out, err] = ["", ""];
  child.stdout.on("data", (chunk) => {
    out += chunk;
  });
  child.stderr.on("data", (chunk) => {
    err += chunk;
  });
  child.stdin.end(input ?? "");
  return new Promise((resolve) => child.on("close", (code) => resolve({ code, out, err })));
}

const all = (command: Command, place: string[] = []): [string, Command][] =>
  command.commands.flatMap((sub) => [
    [[...place, sub.name()].join(" "), sub] as [string, Command],
    ...all(sub, [...place, sub.name()]),
  ]);

/** What `--help` prints. */
function helpOf(command: Command): string {
  let text = "";
  command.configureOutput({
    writeOut: (more) => {
      text += more;
    },
  });
  command.outputHelp();
  return text;
}

describe("command line: manners", () => {
  const commands = all(program());
  const leaves = commands.filter(
    ([, command]) =>
      command.commands.length === 0 ||
      command.registeredArguments.length > 0 ||
      command.name() === "doctor" ||
      command.name() === "posture",
  );

  it("every command has a description and, in its help, an example that begins with its name", () => {
    assert.ok(leaves.length >= 11, leaves.map(([name]) => name).join());
    for (const [name, command] of leaves) {
      assert.ok(command.description().length > 20, name);
      const help = helpOf(command);
      assert.match(help, /Examples?:\n/, name);
      assert.ok(help.split("Example")[1]?.includes(`image-signing-guard ${name}`), name);
    }
  });

  it("every command that answers has --output with json, and its schema is documented", () => {
    const schemas = fs.readdirSync(path.join(ROOT, "docs/json"));
    const names: Record<string, string> = { "bypass grant": "bypass-change", "bypass revoke": "bypass-change" };
    for (const [name, command] of leaves.filter(([name]) => name !== "completion")) {
      const output = command.options.find(({ long }) => long === "--output");
      assert.ok(output?.argChoices?.includes("json"), name);
      assert.ok(schemas.includes(`${names[name] ?? name.replace(/ /g, "-")}.schema.json`), name);
    }
  });

  it("every command that talks to a cluster takes kubectl's flags", () => {
    for (const name of ["doctor", "recover", "bypass grant", "bypass list", "bypass revoke"]) {
      const { options } = commands.find(([one]) => one === name)![1];
      for (const flag of ["--kubeconfig", "--context", "--cluster", "--user", "--request-timeout", "--namespace"])
        assert.ok(
          options.some(({ long }) => long === flag),
          `${name} ${flag}`,
        );
    }
  });

  for (const [title, args, code, says] of [
    ["an unknown command names the near one", ["docter"], 2, /unknown command 'docter'\n\(Did you mean doctor\?\)/],
    ["an unknown option names the near one", ["doctor", "--stak"], 2, /\(Did you mean --stack\?\)/],
    ["a format that there is not", ["doctor", "-o", "xml"], 2, /Allowed choices are table, json/],
    ["a stack that there is not", ["doctor", "-s", "nope"], 2, /no .*Pulumi\.nope\.yaml[\s\S]*one of dev, prod/],
    ["a duration that is none", ["recover", "--request-timeout", "soon"], 2, /"soon" is no duration/],
    ["a kubeconfig that there is not", ["recover", "--kubeconfig", "/nowhere"], 2, /there is no kubeconfig \/nowhere/],
    [
      "a preview that there is not",
      ["posture", "--from", "/nowhere"],
      2,
      /found: +\/nowhere: no such file[\s\S]*pulumi preview/,
    ],
    [
      "a preview that is a folder",
      ["posture", "--from", "/"],
      2,
      /command line has a problem:\n {2}--from\n.*\/: .*directory/,
    ],
    ["a mistyped flag beside a missing one", ["render", "--stak", "prod"], 2, /'--stak'\n\(Did you mean --stack\?\)/],
    ["a missing flag", ["render"], 2, /--stack <name>' not specified/],
    ["a report that there is not", ["report", "--since", "/nope"], 2, /--since[\s\S]*report --output json/],
    ["a report that is a folder", ["report", "--since", "/"], 2, /"\/", which can't be read: .*directory/],
    [
      "a namespace that is none",
      ["check", "nginx", "-s", "prod", "-n", "UPPER"],
      2,
      /no namespace.*Did you mean upper/,
    ],
    ["a namespace that is none", ["bypass", "list", "-n", "a b"], 2, /"a b" is no namespace/],
    [
      "a folder that can't be made",
      ["render", "-s", "prod", "--out", "/proc/nope/deep"],
      2,
      /command line has a problem:\n {2}--out\n {4}found: +\/proc\/nope: no such file/,
    ],
    ["an empty variable for a folder", ["render", "-s", "prod", "--out", ""], 2, /--out\n {4}found: +""/],
    [
      "a project that there is not",
      ["check", "a", "-s", "prod", "-C", "/nope"],
      2,
      /--cwd\n {4}found: +"\/nope", which/,
    ],
    ["a stack against itself", ["posture", "-s", "prod", "--against", "a/prod"], 2, /"a\/prod", the stack itself/],
    [
      "a file in a folder's place",
      ["render", "-s", "prod", "--out", "package.json/x"],
      2,
      /--out\n {4}found: +\S+package\.json\/x: /,
    ],
    [
      "a bypass without workload",
      ["bypass", "grant", "-s", "prod", "-n", "shop", "-p", "a", "-r", "INC-1234 is down", "-f", "2h"],
      2,
      /<workload>\n {4}found: +nothing/,
    ],
    [
      "a bypass for no time",
      [
        "bypass",
        "grant",
        "deployment/shop",
        "-s",
        "prod",
        "-n",
        "shop",
        "-p",
        "require-signed-images",
        "-r",
        "INC-1234 is down",
        "-f",
        "banana",
      ],
      2,
      /command line has a problem:\n {2}--for[\s\S]*write for example --for 2h/,
    ],
    [
      "a bypass whose workload stands behind the policy reaches for the cluster",
      [
        "bypass",
        "grant",
        "-s",
        "prod",
        "-n",
        "shop",
        "-r",
        "INC-1234 is down",
        "-f",
        "2h",
        "--kubeconfig",
        "/nowhere",
        "-p",
        "require-signed-images",
        "deployment/shop",
      ],
      2,
      /there is no kubeconfig \/nowhere/,
    ],
    ["a shell that there is not", ["completion", "csh"], 2, /Allowed choices are bash, zsh, fish/],
    ["nothing to explain", ["doctor", "explain"], 2, /there is no text to explain/],
    ["a refusal that nobody knows", ["doctor", "explain", "hm"], 1, /^$/],
    ["a refusal that is known", ["doctor", "explain", "no signatures found"], 0, /^$/],
    ["a bundle in its window", ["trust", "-s", "prod"], 0, /^$/],
    ["no cluster", ["doctor"], 2, /^$/],
  ] as const) {
    it(`${title}: exit code ${code}, no stack trace`, async () => {
      const home = fs.mkdtempSync(path.join(os.tmpdir(), "home-"));
      const done = await run(args, { env: { HOME: home } });
      fs.rmSync(home, { recursive: true });
      assert.equal(done.code, code, done.err);
      assert.match(done.err, says);
      assert.ok(!/^\s+at .*:\d+:\d+/m.test(done.err + done.out), done.err);
    });
  }

  it("a pipe gets neither colours nor progress, and may close early", async () => {
    const done = await run(["doctor", "--all", "--kubeconfig", "/nowhere"]);
    assert.ok(!`${done.out}${done.err}`.includes("\u001b"));
    assert.equal(done.err, "");
    const child = spawn(
      "bash",
      [
        "-c",
        `set -o pipefail; ${process.execPath} -r ts-node/register/transpile-only cli/main.ts render -s prod | head -1`,
      ],
      { cwd: ROOT },
    );
    let err = "";
    child.stderr.on("data", (chunk) => {
      err += chunk;
    });
    assert.equal(await new Promise((resolve) => child.on("close", resolve)), 0, err);
    assert.equal(err, "");
  });

  it("colours only on a terminal, and not with NO_COLOR", () => {
    assert.equal(hasColours({ isTTY: true }, {}), true);
    assert.equal(hasColours({ isTTY: true }, { NO_COLOR: "1" }), false);
    assert.equal(hasColours({ isTTY: true }, { NO_COLOR: "" }), true);
    assert.equal(hasColours({ isTTY: true }, { TERM: "dumb" }), false);
    assert.equal(hasColours({}, {}), false);
    assert.equal(paint("red", "x", true), "\u001b[31mx\u001b[0m");
    assert.equal(paint("red", "x", false), "x");
  });

  it("progress goes to a terminal only, on one line that it takes away again", () => {
    for (const isTTY of [true, false]) {
      let text = "";
      const stream = {
        isTTY,
        columns: 30,
        write: (more: string) => {
          text += more;
        },
      };
      const progress = new Progress(stream as unknown as NodeJS.WriteStream);
      progress.say("asking everybody about everything there is");
      progress.done();
      assert.equal(text, isTTY ? "\rasking everybody about everyt\u001b[K\r\u001b[K" : "");
    }
  });

  describe("JSON", () => {
    const ajv = new Ajv2020({ allErrors: true });
    let api: FakeApi;
    let answer: Answerer;
    let kubeconfig: string;
    before(async () => {
      api = await startFakeApi((url, request) => answer(url, request));
      kubeconfig = path.join(fs.mkdtempSync(path.join(os.tmpdir(), "json-")), "config");
      fs.writeFileSync(kubeconfig, api.kubeconfig);
    });
    after(async () => {
      fs.rmSync(path.dirname(kubeconfig), { recursive: true });
      await api.stop();
    });

    async function fits(
      schema: string,
      args: readonly string[],
      options: Parameters<typeof run>[1] = {},
    ): Promise<Record<string, unknown>> {
      const { out, err } = await run([...args, "--output", "json"], options);
      const validate = ajv.compile(
        JSON.parse(fs.readFileSync(path.join(ROOT, `docs/json/${schema}.schema.json`), "utf8")),
      );
      assert.doesNotThrow(() => JSON.parse(out), `${args.join(" ")}: ${out}${err}`);
      const value = JSON.parse(out) as Record<string, unknown>;
      assert.ok(validate(value), `${args.join(" ")}: ${ajv.errorsText(validate.errors)}`);
      // The schema says something: a field that it does not know is refused.
      assert.equal(validate({ ...value, surprise: true }), false);
      return value;
    }

    it("render, trust, check, explain", async () => {
      await fits("render", ["render", "-s", "prod"]);
      await fits("trust", ["trust", "-s", "prod"]);
      await fits("check", ["check", "-s", "prod", "nginx:1.27", "127.0.0.1:1/a:1"]);
      await fits("doctor-explain", ["doctor", "explain", "-"], {
        input: fs.readFileSync(`${FIXTURES}/refusals/bypass-ended.txt`, "utf8"),
      });
      await fits("doctor-explain", ["doctor", "explain", "?"]);
    });

    for (const name of ["create", "enforce", "gone", "unknown", "failed-config"]) {
      it(`posture of a recorded preview: ${name}`, async () => {
        await fits("posture", ["posture", "--from", `${FIXTURES}/posture/${name}.json`]);
      });
    }

    it("posture comment", async () => {
      answer = (_, { method }) => (method === "GET" ? { body: [] } : { code: 201, body: {} });
      const folder = path.dirname(kubeconfig);
      const event = path.join(folder, "event.json");
      fs.writeFileSync(event, JSON.stringify({ pull_request: { number: 1 } }));
      const env = { GITHUB_EVENT_PATH: event, GITHUB_API_URL: api.url, GITHUB_REPOSITORY: "a/b", GITHUB_TOKEN: "t" };
      assert.equal(
        (await fits("posture-comment", ["posture", "comment", "prod", "missing.md"], { env })).comment,
        "created",
      );
    });

    it("adopt of an empty cluster, and of one in which a killed up has left a namespace", async () => {
      const absent = { code: 404, body: { kind: "Status", code: 404, message: "not found" } };
      const args = [
        "adopt",
        "-s",
        "prod",
        "--kubeconfig",
        kubeconfig,
        "--out",
        path.join(path.dirname(kubeconfig), "list"),
      ];
      answer = () => absent;
      assert.match(String((await fits("adopt", args)).obstacle), /pulumi up makes/);
      answer = ({ pathname }) => (pathname.endsWith("/namespaces/kyverno") ? { body: { metadata: {} } } : absent);
      const { commands } = await fits("adopt", args);
      assert.match((commands as string[]).join("\n"), /^pulumi import .*\nkubectl label namespaces kyverno /);
    });

    it("doctor, recover and bypass list of a cluster, and of one that forbids", async () => {
      const annotations = {
        "policies.kyverno.io/skip": "require-signed-images",
        "policies.kyverno.io/skip-reason": "an outage, INC-1",
        "policies.kyverno.io/skip-until": "2026-01-01T00:00:00Z",
      };
      const objects: Record<string, object> = {
        "/version": { gitVersion: "v1.30.0" },
        "/apis/apps/v1/deployments": {
          items: [{ metadata: { name: "shop", namespace: "a" }, spec: { template: { metadata: { annotations } } } }],
        },
        "/apis/apps/v1/namespaces/kyverno/deployments": {
          items: [{ metadata: { name: "kyverno-admission-controller" }, spec: { replicas: 1 }, status: {} }],
        },
        "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations": {
          items: [{ metadata: { name: "m" }, webhooks: [{ name: "x", clientConfig: {} }] }],
        },
      };
      answer = (url, { method }) =>
        method === "DELETE"
          ? { body: {} }
          : { body: (!isBackstop(url) && objects[url.pathname]) || { apiVersion: "v1", kind: "List", items: [] } };
      const isBackstop = (url: URL) => url.searchParams.get("labelSelector")?.endsWith("=backstop");
      const cluster = [`--kubeconfig=${kubeconfig}`];
      assert.equal((await fits("doctor", ["doctor", "-s", "prod", ...cluster])).exitCode, 1);
      assert.equal((await fits("recover", ["recover", ...cluster])).lockedOut, true);
      assert.deepEqual((await fits("recover", ["recover", "--remove-webhooks", ...cluster])).removed, ["mutating/m"]);
      objects["/api/v1/namespaces/kyverno/secrets"] = {
        items: ["deployed", "pending-upgrade"].map((state, at) => ({
          metadata: { name: `sh.helm.release.v1.kyverno.v${at + 1}`, labels: { version: `${at + 1}`, status: state } },
        })),
      };
      const { forgotten } = await fits("recover", ["recover", "--mend-release", ...cluster]);
      assert.deepEqual(forgotten, [
        { revision: 2, status: "pending-upgrade", secret: "sh.helm.release.v1.kyverno.v2" },
      ]);
      assert.equal(((await fits("bypass-list", ["bypass", "list", ...cluster])).bypasses as object[]).length, 1);
      answer = (url) => (url.pathname === "/version" ? { body: { gitVersion: "v1.30.0" } } : status(403, "no"));
      assert.equal((await fits("doctor", ["doctor", ...cluster])).exitCode, 2);
      assert.ok(((await fits("bypass-list", ["bypass", "list", ...cluster])).unread as string[]).length > 0);
    });

    it("bypass grant and revoke", async () => {
      const annotations: Record<string, string> = { "policies.kyverno.io/skip": "require-signed-images" };
      const workload = {
        apiVersion: "apps/v1",
        kind: "Deployment",
        metadata: { name: "shop", namespace: "a" },
        spec: { template: { metadata: { annotations } } },
      };
      answer = (url) => ({
        body: url.pathname.includes("selfsubjectreviews") ? { status: { userInfo: { username: "olga" } } } : workload,
      });
      const cluster = [`--kubeconfig=${kubeconfig}`, "-n", "a"];
      const grant = [
        "bypass",
        "grant",
        "deployment/shop",
        "-s",
        "prod",
        "-p",
        "require-signed-images",
        "-r",
        "INC-1: an outage",
        "-f",
        "1h",
        ...cluster,
      ];
      assert.equal((await fits("bypass-change", grant)).action, "granted");
      assert.equal((await fits("bypass-change", ["bypass", "revoke", "deployment/shop", ...cluster])).by, "olga");
    });
  });
});
