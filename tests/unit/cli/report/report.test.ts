import * as assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { z } from "zod";
import { clusterSource } from "../../../../cli/cluster/source";
import { reportHtml } from "../../../../cli/report/html/page";
import { makeReport } from "../../../../cli/report/make";
import { type Report, reportSchema } from "../../../../cli/report/result";
import { TABLES } from "../../../../cli/report/tables";
import { reportCsv, reportMarkdown, reportText } from "../../../../cli/report/texts";
import { readReport, trendSince } from "../../../../cli/report/trend";
import { collectionPath, type KubeObject } from "../../../../components/kubernetes/resources";
import { type FakeApi, startApiServer } from "../../../support/apiServer";
import { pod, policyReport, resourceOf, rows, scanReport, stored, workload } from "../../../support/clusterObjects";
import { problemsOf } from "../../../support/problems";
import { compile, NOW } from "../../../support/settings";
import { collectionsOf, ENDED_UNTIL, images, RUNNING_UNTIL, STACK, shopCluster } from "../../../support/shopCluster";

const policies = () => compile(STACK).policies.map(stored);

describe("report", () => {
  let api: FakeApi | undefined;
  afterEach(() => api?.stop());

  const serve = async (objects: readonly KubeObject[]) => {
    await api?.stop();
    api = await startApiServer(collectionsOf(objects), { largestPage: 3 });
    return api;
  };
  const report = async (objects: readonly KubeObject[], namespaces: readonly string[] = []): Promise<Report> =>
    makeReport(clusterSource({ kubeconfig: (await serve(objects)).kubeconfig }), namespaces, NOW);
  const brief = ({ images: all }: Report) =>
    all.map(({ state, namespace, image, violation, bypassed }) =>
      [state, namespace, image.replace(/@.*/, ""), violation ? "violation" : "", bypassed ? "bypassed" : ""]
        .join(" ")
        .trim(),
    );

  it("nobody lacks a signer where no policy demands signatures, as in Kyverno's own namespace", async () => {
    const of = (namespace: string) => {
      const pods = pod(namespace, "p", ["registry.k8s.io/pause:3.9"]);
      return [pods, scanReport(pods, [rows.noSigner(["registry.k8s.io/pause:3.9"])])];
    };
    const made = await report([...policies(), ...of("kyverno"), ...of("kube-system"), ...of("shop")]);
    assert.deepEqual(
      made.images.map(({ namespace, state }) => [namespace, state]),
      [
        ["shop", "noSigner"],
        ["kube-system", "notJudged"],
        ["kyverno", "notJudged"],
      ],
    );
    assert.match(made.images[1]!.detail, /no policy demands signatures here/);
  });

  it("says of each image in each namespace what Kyverno knows, the worst first", async () => {
    assert.deepEqual(brief(await report(shopCluster())), [
      "notSigned production ghcr.io/ikey168/modulo-frontend violation",
      "notSigned dev ghcr.io/ikey168/modulo-worker:1.4 violation",
      "notSigned production ghcr.io/ikey168/modulo-worker:1.4 violation bypassed",
      "noSigner shop docker.io/nginx:1.27",
      "cannotTell production ghcr.io/ikey168/modulo-private:2",
      "notJudged production ghcr.io/ikey168/modulo-new:7",
      "signed production ghcr.io/ikey168/modulo-backend",
    ]);
  });

  it("counts by namespace, policy and bypass", async () => {
    const made = await report(shopCluster());
    assert.deepEqual(
      made.namespaces.map(({ name, mode, percent, workloads }) => [name, mode, percent, workloads]),
      [
        ["dev", "audit", 0, 1],
        ["production", "audit", 25, 7],
        ["shop", "audit", null, 1],
      ],
    );
    const counts = Object.fromEntries(made.policies.map(({ name, results }) => [name, [results.pass, results.fail]]));
    // The rows of the scans; the PolicyReport's row is one of them again and not counted.
    assert.deepEqual(counts, {
      "audit-unsigned-images": [0, 1],
      "audit-unsigned-images-templates": [0, 0],
      "require-signed-images": [2, 4],
      "require-signed-images-templates": [0, 0],
      "verify-image-signatures": [0, 1],
      "verify-image-signatures-templates": [0, 0],
    });
    assert.deepEqual(
      made.bypasses.map(({ workload, state, until, pods }) => [workload, state, until, pods]),
      [
        ["StatefulSet/stale", "ended", ENDED_UNTIL, 0],
        ["Deployment/hotfix", "running", RUNNING_UNTIL, 0],
      ],
    );
    assert.deepEqual(made.summary.bypasses, { running: 1, ended: 1, invalid: 0 });
    assert.equal(made.summary.percent, 20);
    assert.doesNotThrow(() => reportSchema.parse(JSON.parse(JSON.stringify(made))));
  });

  it("reads the namespaces that were asked for", async () => {
    const made = await report(shopCluster(), ["dev", "shop"]);
    assert.deepEqual(made.namespaces.map(({ name }) => name).sort(), ["dev", "shop"]);
    assert.ok(
      api!.requests.filter((request) => request.includes("/pods")).every((r) => /namespaces\/(dev|shop)\//.test(r)),
    );
  });

  it("knows where production enforces", async () => {
    const enforcing = compile({ ...STACK, mode: "enforce" }).policies.map(stored);
    const made = await report([
      ...enforcing,
      ...["production", "shop", "dev", "kube-system"].map((ns) => pod(ns, "p", ["x:1"])),
    ]);
    const modes = Object.fromEntries(made.namespaces.map(({ name, mode }) => [name, mode]));
    assert.deepEqual(modes, { production: "enforce", shop: "enforce", dev: "audit", "kube-system": "none" });
  });

  it("falls back to PolicyReports and says that those hide rows", async () => {
    const mixed = pod("production", "mixed", [images.signed, images.unsigned]);
    const made = await report([...policies(), mixed, policyReport("production", [rows.pass(images.signed)])]);
    assert.deepEqual(brief(made), [
      "notJudged production ghcr.io/ikey168/modulo-worker:1.4",
      "signed production ghcr.io/ikey168/modulo-backend",
    ]);
    assert.equal(made.policies.find(({ name }) => name === "require-signed-images")?.results.pass, 1);
    assert.match(made.limits.join("\n"), /only PolicyReports: those keep one row/);
  });

  it("leaves out rows about a policy that has changed since, and says so", async () => {
    const one = pod("production", "one", [images.signed]);
    const made = await report([...policies(), one, scanReport(one, [rows.pass(images.signed)], "99")]);
    assert.deepEqual(brief(made), ["notJudged production ghcr.io/ikey168/modulo-backend"]);
    assert.match(made.limits.join("\n"), /1 rows are older than their policy's last change/);
  });

  it("says what it can't know", async () => {
    const { limits } = await report(shopCluster());
    for (const says of [
      /Refused requests leave no report/,
      /PolicyReports keep one row/,
      /about once an hour/,
      /audit log only/,
    ])
      assert.match(limits.join("\n"), says);
  });

  it("ends with one clear error without Kyverno, without the guard and without rights", async () => {
    api = await startApiServer([]);
    const made = () => makeReport(clusterSource({ kubeconfig: api!.kubeconfig }), [], NOW);
    await assert.rejects(made(), /no clusterpolicies\.kyverno\.io \(v1\): Kyverno is not installed/);
    api.trouble.set(collectionPath(resourceOf("ClusterPolicy")), "forbidden");
    await assert.rejects(
      made(),
      /may not list clusterpolicies[\s\S]*--verb=list --resource=clusterpolicies\.kyverno\.io/,
    );
    await assert.rejects(report([pod("a", "b", ["x:1"])]), /no policy of this guard is in fake; run pulumi up/);
  });

  it("tells what has changed since a saved report", async () => {
    const before = await report(shopCluster());
    const fixed = shopCluster().filter(({ kind, metadata }) => !(kind === "Pod" && metadata?.namespace === "dev"));
    const nightly = fixed.find(({ metadata }) => metadata?.name === "nightly")!;
    const hotfix = fixed.find(({ metadata }) => metadata?.name === "hotfix")!;
    const fresh = fixed.find(({ metadata }) => metadata?.name === "fresh")!;
    const now = await report([
      ...fixed.filter((object) => object !== hotfix),
      scanReport(nightly, [
        { ...rows.pass(images.other, { seconds: 1_780_100_000 }), rule: "autogen-cronjob-signed-by-modulo" },
      ]),
      scanReport(fresh, [rows.unsigned(images.unscanned)]),
    ]);
    const trend = trendSince(before, now);
    assert.deepEqual(trend.fixed, [{ image: images.other, namespace: "production" }]);
    assert.deepEqual(trend.gone, [{ image: images.unsigned, namespace: "dev" }]);
    assert.deepEqual(trend.newlyFailing, [{ image: images.unscanned, namespace: "production" }]);
    assert.deepEqual(trend.bypassesOver, [`production/Deployment/hotfix until ${RUNNING_UNTIL}`]);
    assert.equal(trend.percentBefore, 20);
    const text = reportText({ ...now, trend });
    assert.match(text, /Before: 20%\./);
    assert.match(text, /signed since: ghcr\.io\/ikey168\/modulo-frontend@sha256:\S+ in production/);
    assert.match(reportText({ ...before, trend: trendSince(before, before) }), /nothing has changed/);
  });

  it("reads back what it wrote and refuses everything else", async () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "guard-report-"));
    const file = path.join(folder, "old.json");
    const made = await report(shopCluster());
    const write = (text: string) => fs.writeFileSync(file, text);
    write(JSON.stringify(made));
    assert.deepEqual(readReport(file), JSON.parse(JSON.stringify(made)));
    for (const [text, found] of [
      [JSON.stringify(made).slice(0, 200), /no JSON/],
      [JSON.stringify({ ...made, version: 2 }), /no report of this version \(version:/],
      ["{}", /no report of this version/],
    ] as const) {
      write(text);
      const [problem] = problemsOf(() => readReport(file));
      assert.equal(problem?.key, "--since");
      assert.match(problem!.found, found);
    }
    fs.rmSync(folder, { recursive: true });
  });

  it("is documented: the committed schema is what the code promises", () => {
    const file = path.join(__dirname, "..", "..", "..", "..", "docs", "json", "report.schema.json");
    assert.deepEqual(
      JSON.parse(fs.readFileSync(file, "utf8")),
      JSON.parse(JSON.stringify(z.toJSONSchema(reportSchema))),
    );
  });

  describe("formats", () => {
    const evil = `"><script>alert(1)</script>|[x](javascript:alert(1))`;
    const DIGEST = `ghcr.io/a@sha256:${"a".repeat(64)}`;
    const hostile = async () => {
      const annotations = {
        "policies.kyverno.io/skip": "require-signed-images",
        "policies.kyverno.io/skip-reason": `=HYPERLINK("http://x","y") ${evil}\n# head @team #42 www.example.com`,
        "policies.kyverno.io/skip-until": evil,
      };
      return report([...policies(), workload("Deployment", "production", "d", [evil, DIGEST], { annotations })]);
    };

    it("are whole: each table is in each of them", async () => {
      const made = await report(shopCluster());
      for (const text of [reportText(made), reportMarkdown(made), reportHtml(made)]) {
        for (const says of ["Images", "Namespaces", "Policies", "Bypasses", "docker.io/nginx:1.27", "INC-1234"])
          assert.ok(text.includes(says), says);
      }
      for (const name of TABLES) assert.ok(reportCsv(made, name).split("\r\n").length > 1, name);
    });

    it("CSV quotes, keeps whole digests and defuses formulas", async () => {
      const made = await report(shopCluster());
      assert.ok(reportCsv(made, "images").includes(images.other));
      assert.match(
        reportCsv(made, "images"),
        /,"Deployment\/hotfix, Deployment\/shop, Pod\/mixed, StatefulSet\/stale",/,
      );
      const csv = reportCsv(await hostile(), "bypasses");
      assert.match(csv, /,"'=HYPERLINK\(""http:\/\/x"",""y""\)/);
    });

    it("Markdown leaves nothing of other people's markup", async () => {
      const text = reportMarkdown(await hostile());
      assert.doesNotMatch(text, /<script|[^\\]\[x\]\(/);
      assert.ok(!text.split("\n").some((line) => /^# head/.test(line)));
      assert.doesNotMatch(text, /(?<!\w)@team|#42|https?:\/\/|www\./);
      assert.match(text, /ghcr\.io\/a@sha256/, "a digest stays what it is");
      const row = text.split("\n").find((line) => line.includes("HYPERLINK"))!;
      assert.equal(row.replace(/\\\|/g, "").split("|").length, 10);
    });

    it("HTML escapes everything, asks nobody and runs nothing but its own script", async () => {
      const page = reportHtml(await hostile());
      assert.equal(page.match(/<script/g)?.length, 1);
      assert.ok(page.includes("&lt;script&gt;alert(1)&lt;/script&gt;"));
      assert.doesNotMatch(page, /<(link|img|iframe|object|form)\b|src=|href=|url\(|@import/);
      assert.match(page, /default-src 'none'; style-src 'sha256-[^']+'; script-src 'sha256-[^']+'/);
    });
  });
});
