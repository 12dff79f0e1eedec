import * as assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { parse, stringify } from "yaml";
import { doctor } from "../../../../cli/doctor/run";
import { milliseconds } from "../../../../cli/options";
import { ClusterClient } from "../../../../components/kubernetes/client";
import { loadKubeConfig } from "../../../../components/kubernetes/kubeConfig";
import { NAMESPACES } from "../../../../components/kubernetes/resources";
import { type FakeApi, kubeconfigText, startFakeApi } from "../../../support/fakeApi";

describe("kubeconfig, as kubectl takes it", () => {
  let api: FakeApi;
  let folder: string;
  const before_ = { ...process.env };
  let delayMs = 0;
  before(async () => {
    api = await startFakeApi(() => ({ body: { items: [], gitVersion: "v1.30.0" }, delayMs }));
    folder = fs.mkdtempSync(path.join(os.tmpdir(), "kubeconfig-"));
    process.env.HOME = folder;
  });
  after(async () => {
    process.env = before_;
    fs.rmSync(folder, { recursive: true });
    await api.stop();
  });
  beforeEach(() => {
    api.requests.length = 0;
    delete process.env.KUBECONFIG;
    delayMs = 0;
  });
  const write = (name: string, text: string) => {
    const file = path.join(folder, name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, text, { mode: 0o700 });
    return file;
  };
  const list = (target: Parameters<typeof loadKubeConfig>[0]) => ClusterClient.of(target).list(NAMESPACES);

  it("KUBECONFIG may list files: those that exist are merged, the first of a name counts", () => {
    const a = write("a", kubeconfigText("http://a", "{token: a}", "a"));
    const b = write("b", kubeconfigText("http://b", "{token: b}", "b"));
    const other = write("other", kubeconfigText("http://other", "{token: o}", "a"));
    process.env.KUBECONFIG = [path.join(folder, "missing"), a, b, other].join(path.delimiter);
    assert.equal(loadKubeConfig({}).cluster.server, "http://a");
    assert.equal(loadKubeConfig({ context: "b" }).cluster.server, "http://b");
    process.env.KUBECONFIG = path.join(folder, "missing");
    assert.throws(() => loadKubeConfig({}), /there is no kubeconfig .*missing/);
  });

  it("else ~/.kube/config, else it says so", () => {
    assert.throws(() => loadKubeConfig({}), /KUBECONFIG is not set and .* does not exist/);
    write(".kube/config", kubeconfigText("http://home", "{token: h}"));
    assert.equal(loadKubeConfig({}).cluster.server, "http://home");
    fs.rmSync(path.join(folder, ".kube"), { recursive: true });
  });

  it("--cluster and --user take the place of the context's", async () => {
    const a = write("a", kubeconfigText("http://127.0.0.1:1", "{token: a}", "a"));
    const b = write("b", kubeconfigText(api.url, "{token: b}", "b"));
    process.env.KUBECONFIG = [a, b].join(path.delimiter);
    await list({ cluster: "b" });
    await list({ cluster: "b", user: "b-user" });
    assert.deepEqual(
      api.requests.map(({ authorization }) => authorization),
      ["Bearer a", "Bearer b"],
    );
    for (const target of [{ cluster: "x" }, { user: "x" }, { context: "x" }])
      assert.throws(() => loadKubeConfig(target), /the kubeconfig has no (cluster|user|context) "x", only /);
  });

  it("a file that is no kubeconfig, and one without a current context, are named", () => {
    assert.throws(() => loadKubeConfig({ kubeconfig: write("broken", "a: [") }), /broken is no kubeconfig: /);
    const none = write("none", kubeconfigText("http://a", "{}").replace("current-context: c", ""));
    assert.throws(() => loadKubeConfig({ kubeconfig: none }), /names no cluster to use; set a context: c/);
  });

  it("~ is the home folder", () => {
    write("mine", kubeconfigText("http://mine", "{token: m}"));
    assert.equal(loadKubeConfig({ kubeconfig: "~/mine" }).cluster.server, "http://mine");
  });

  it("as text may be YAML or JSON, on one line too", () => {
    const block = parse(kubeconfigText("http://given", "{token: t}"));
    for (const kubeconfig of [JSON.stringify(block), JSON.stringify(block, null, 2), stringify(block)]) {
      assert.equal(loadKubeConfig({ kubeconfig }).cluster.server, "http://given");
    }
  });

  const TOKEN = "eyJhbGciOiJSUzI1NiIsImtpZCI6IlRlc3QifQ";
  for (const given of [
    `{"users": [{"user": {"token": "${TOKEN}"}}`,
    `{"users": ${TOKEN}}`,
    `users:\n- user: {token: ${TOKEN}\n  a: b`,
    `a: *${TOKEN}\nb: c`,
    `a: !${TOKEN} b\n: :`,
    `users: ${TOKEN}\n`,
    `users: [{name: a, user: {token: [${TOKEN}]}}]\n`,
    `- ${TOKEN}\n`,
    TOKEN,
    `${TOKEN}.${TOKEN}.${TOKEN}/x`,
    `token: ${TOKEN}`,
    `apiVersion: v1 ${TOKEN}`,
  ])
    it(`that is broken is not shown: ${given.replaceAll(TOKEN, "<token>").replaceAll("\n", "\\n")}`, () => {
      const warned: string[] = [];
      const { emitWarning } = process;
      process.emitWarning = (warning: string | Error) => void warned.push(String(warning));
      assert.throws(
        () => loadKubeConfig({ kubeconfig: given }),
        ({ message }: Error) => !message.includes(TOKEN) && /kubeconfig/.test(message),
      );
      process.emitWarning = emitWarning;
      assert.ok(!warned.join().includes(TOKEN), warned.join());
    });

  it("--request-timeout ends a request, and takes kubectl's durations", async () => {
    delayMs = 3000;
    const began = Date.now();
    await assert.rejects(
      list({ kubeconfig: api.kubeconfig, requestTimeoutMs: 200 }),
      /no answer from the API server http:\S+: it did not answer in time \(0\.2 s\)/,
    );
    assert.ok(Date.now() - began < 2500);
    for (const [text, ms] of [
      ["5s", 5000],
      ["1m30s", 90_000],
      ["0", 0],
      ["10", 10_000],
      ["250ms", 250],
    ] as const)
      assert.equal(milliseconds(text), ms);
    for (const text of ["", "soon", "5 s", "-1s"]) assert.throws(() => milliseconds(text), /is no duration/);
  });

  describe("login plugins", () => {
    const plugin = (script: string, more = "") => {
      write("login", `#!/bin/sh\n${script}\n`);
      // A path that is relative to the file, as kubectl reads it.
      return write(
        "exec",
        kubeconfigText(
          api.url,
          `{exec: {apiVersion: client.authentication.k8s.io/v1, command: ./login, args: [get-token], interactiveMode: Never${more}}}`,
        ),
      );
    };
    const credential = `echo '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"'$1-$TEAM'"}}'`;

    it("the plugin's token is used, and it is told what is asked of it", async () => {
      const file = plugin(
        `echo "$KUBERNETES_EXEC_INFO" > ${folder}/info\n${credential}`,
        ", env: [{name: TEAM, value: blue}], provideClusterInfo: true",
      );
      await list({ kubeconfig: file });
      assert.equal(api.requests[0]!.authorization, "Bearer get-token-blue");
      const info = JSON.parse(fs.readFileSync(path.join(folder, "info"), "utf8"));
      assert.equal(info.apiVersion, "client.authentication.k8s.io/v1");
      assert.equal(info.spec.interactive, false);
      assert.equal(info.spec.cluster.server, api.url);
      const { findings } = await doctor({ cwd: ".", kubeconfig: file }, new Date());
      assert.ok(findings.some(({ id, severity }) => id === "cluster.reachable" && severity === "ok"));
    });

    for (const [title, script, says] of [
      ["fails", "echo 'token expired: run login again' >&2; exit 1", /which failed: token expired: run login again$/],
      ["fails silently", "exit 3", /which failed: it said nothing$/],
      ["prints something else", "echo hello", /which did not print an ExecCredential as JSON$/],
      ["prints JSON without a status", "echo '{}'", /which printed no status with a token or certificate$/],
    ] as const) {
      it(`a plugin that ${title} is named with what it said`, async () => {
        const file = plugin(script);
        const whole = new RegExp(`^the kubeconfig's user "c-user" logs in by the program ".*login", ${says.source}`);
        await assert.rejects(
          list({ kubeconfig: file }),
          (error: Error) => whole.test(error.message) || assert.fail(error.message),
        );
        const { findings, exitCode } = await doctor({ cwd: ".", kubeconfig: file }, new Date());
        const found = findings.find(({ id }) => id === "cluster.reachable")!;
        assert.match(found.evidence, whole);
        assert.equal(exitCode, 2);
      });
    }

    it("a plugin that is not installed is named with its hint", async () => {
      const user =
        "{exec: {apiVersion: client.authentication.k8s.io/v1, command: no-such-login, installHint: get it there}}";
      const file = write("exec", kubeconfigText(api.url, user));
      await assert.rejects(
        list({ kubeconfig: file }),
        /"no-such-login", which is not installed or not on PATH: get it there/,
      );
    });
  });
});
