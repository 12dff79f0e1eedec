import * as assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { stringify } from "yaml";
import { z } from "zod";
import { clusterSource } from "../../../../cli/cluster/source";
import { assessImpact, type ImpactRequest } from "../../../../cli/impact/assess";
import { type ImpactResult, impactSchema } from "../../../../cli/impact/result";
import { describeImpact } from "../../../../cli/impact/table";
import type { checkImage } from "../../../../cli/judging/image";
import { collectionPath, type KubeObject } from "../../../../components/kubernetes/resources";
import { configFromSettings } from "../../../../components/settings";
import { type FakeApi, startApiServer } from "../../../support/apiServer";
import { pod, policyReport, resourceOf, rows, scanReport, stored } from "../../../support/clusterObjects";
import { runCommand } from "../../../support/runCommand";
import { compile, NOW, settings } from "../../../support/settings";
import { collectionsOf, ENDED_UNTIL, images, STACK, shopCluster } from "../../../support/shopCluster";

type Ask = typeof checkImage;

/** Registries that answer what a test wants, and remember who was asked and how many at once. */
function registries(passes: Record<string, boolean | null>) {
  const asked: string[] = [];
  const state = { now: 0, most: 0 };
  const ask: Ask = async (image, [namespace]) => {
    asked.push(image);
    state.now++;
    state.most = Math.max(state.most, state.now);
    await new Promise((resolve) => setTimeout(resolve, 2));
    state.now--;
    const answer = passes[image] ?? null;
    const reason = answer === null ? "cannotTell" : answer ? "signed" : "unreadableFormat";
    const judgement = { namespace: namespace!, mode: "enforce", verdict: "unknown", kyvernoNow: "admits" } as const;
    return {
      image,
      formats: [],
      signatures: [],
      digest: `sha256:${"d".repeat(64)}`,
      judgements: [{ ...judgement, passes: answer, reason, detail: "the registry says so" }],
    };
  };
  return { ask, asked, state };
}

describe("impact", () => {
  let api: FakeApi | undefined;
  afterEach(() => api?.stop());

  const assess = async (
    objects: readonly KubeObject[],
    changes: Partial<ImpactRequest> = {},
  ): Promise<ImpactResult> => {
    await api?.stop();
    api = await startApiServer(collectionsOf(objects), { largestPage: 2 });
    return assessImpact(clusterSource({ kubeconfig: api.kubeconfig }), {
      stack: "test",
      config: configFromSettings(STACK),
      namespaces: [],
      everywhere: false,
      rollbacks: true,
      check: "never",
      now: NOW,
      ...changes,
    });
  };
  const brief = ({ findings }: ImpactResult) =>
    findings.map(
      ({ verdict, reason, namespace, owner, image, source }) =>
        `${verdict} ${reason} ${namespace} ${owner.kind}/${owner.name} ${nameOf(image)} ${source}`,
    );
  const nameOf = (image: string) => Object.entries(images).find(([, value]) => value === image)?.[0];

  it("tells each workload's fate from the reports of a cluster in audit", async () => {
    const result = await assess(shopCluster());
    assert.deepEqual(brief(result).sort(), [
      "admitted signed production Deployment/shop signed report",
      "admitted signed production Pod/mixed signed report",
      "admitted uncovered shop Deployment/web nginx config",
      "bypassed unsigned production Deployment/hotfix unsigned report",
      "cannotTell cannotTell production DaemonSet/locked denied report",
      "cannotTell cannotTell production Pod/fresh unscanned none",
      "refused bypassEnded production StatefulSet/stale signed config",
      "refused unsigned production Deployment/shop unsigned report",
      "refused unsigned production Pod/mixed unsigned report",
      "refused unsigned production StatefulSet/stale unsigned report",
      "refused wrongSigner production CronJob/nightly other report",
      "reported unsigned dev Pod/tinkering unsigned report",
    ]);
    assert.equal(result.exitCode, 1);
    // Only web is whole; shop would not survive its rollback.
    assert.deepEqual([result.readiness.percent, result.readiness.ready, result.readiness.workloads], [12, 1, 8]);
    assert.deepEqual(result.notRead, []);
    assert.doesNotThrow(() => impactSchema.parse(JSON.parse(JSON.stringify(result))));
  });

  it("says where an image was found, pods counted by their top owner", async () => {
    const { findings } = await assess(shopCluster());
    const uses = (verdict: string) =>
      findings.find(({ owner, verdict: v }) => owner.name === "shop" && v === verdict)!.uses;
    assert.deepEqual(uses("admitted"), [
      { when: "next", kind: "Deployment", count: 1, names: ["shop"] },
      { when: "next", kind: "ReplicaSet", count: 1, names: ["shop-2"] },
      { when: "running", kind: "Pod", count: 2, names: ["shop-2-a", "shop-2-b"] },
    ]);
    assert.deepEqual(uses("refused"), [{ when: "rollback", kind: "ReplicaSet", count: 1, names: ["shop-1"] }]);
  });

  it("leaves rollbacks out where that is wanted", async () => {
    const { findings } = await assess(shopCluster(), { rollbacks: false });
    assert.ok(findings.every(({ uses }) => uses.some(({ when }) => when !== "rollback")));
    assert.ok(!findings.some(({ owner, verdict }) => owner.name === "shop" && verdict === "refused"));
  });

  it("judges audited namespaces as if they enforced where that is wanted", async () => {
    const { findings } = await assess(shopCluster(), { everywhere: true, namespaces: ["dev"] });
    assert.deepEqual(
      findings.map(({ verdict, mode }) => [verdict, mode]),
      [["refused", "enforce"]],
    );
  });

  it("asks registries only where reports can't tell, each image once and few at a time", async () => {
    const more = Array.from({ length: 20 }, (_, index) =>
      pod("production", `m${index}`, [`ghcr.io/ikey168/modulo-${index}:1`]),
    );
    const answers = Object.fromEntries(
      more.map((one) => [(one.spec as { containers: { image: string }[] }).containers[0]!.image, true]),
    );
    const { ask, asked, state } = registries({ ...answers, [images.unscanned]: false, [images.denied]: null });
    const result = await assess([...shopCluster(), ...more, pod("production", "twin", [images.unscanned])], {
      check: "needed",
      ask,
    });
    assert.deepEqual(asked.sort(), [images.unscanned, images.denied, ...Object.keys(answers)].sort());
    assert.ok(state.most > 1 && state.most <= 4, `${state.most} at once`);
    const fresh = result.findings.find(({ owner }) => owner.name === "fresh")!;
    assert.deepEqual([fresh.verdict, fresh.reason, fresh.source], ["refused", "unreadableFormat", "registry"]);
    const locked = result.findings.find(({ owner }) => owner.name === "locked")!;
    assert.deepEqual([locked.verdict, locked.source], ["cannotTell", "registry"]);
  });

  it("asks about everything where that is wanted, and believes no report", async () => {
    const { ask, asked } = registries({ [images.unsigned]: true });
    const { findings } = await assess(shopCluster(), { check: "always", ask });
    assert.ok(asked.includes(images.unsigned) && asked.includes(images.signed) && !asked.includes(images.nginx));
    assert.ok(findings.filter(({ image }) => image === images.unsigned).every(({ verdict }) => verdict === "admitted"));
  });

  it("believes no report about a policy that wants other signers, or that has changed since", async () => {
    const another = settings({
      images: [
        {
          name: "modulo",
          repositories: ["ghcr.io/ikey168/modulo-*"],
          signers: [{ github: { repository: "o/r", workflow: "w.yml", ref: "refs/heads/main" } }],
        },
      ],
    });
    const one = pod("production", "one", [images.signed]);
    const report = scanReport(one, [rows.pass(images.signed)]);
    const policies = compile(STACK).policies.map(stored);
    const verdicts = async (objects: KubeObject[], changes: Partial<ImpactRequest> = {}) =>
      (await assess(objects, changes)).findings.map(({ verdict }) => verdict);
    assert.deepEqual(await verdicts([...policies, one, report]), ["admitted"]);
    assert.deepEqual(await verdicts([...policies, one, report], { config: configFromSettings(another) }), [
      "cannotTell",
    ]);
    const old = scanReport(one, [rows.pass(images.signed)], "99");
    assert.deepEqual(await verdicts([...policies, one, old]), ["cannotTell"]);
    assert.deepEqual(await verdicts([one, report]), ["cannotTell"]);
  });

  it("takes the latest of two verdicts", async () => {
    const one = pod("production", "one", [images.signed]);
    for (const [first, second, verdict] of [
      [1, 2, "admitted"],
      [2, 1, "refused"],
    ] as const) {
      const reports = [
        scanReport(one, [rows.unsigned(images.signed, { seconds: first })]),
        scanReport(one, [rows.pass(images.signed, { seconds: second })]),
      ];
      const { findings } = await assess([...compile(STACK).policies.map(stored), one, ...reports]);
      assert.equal(findings[0]!.verdict, verdict);
    }
  });

  it("uses a PolicyReport for the image it names and for no other", async () => {
    const mixed = pod("production", "mixed", [images.signed, images.unsigned]);
    const collapsed = policyReport("production", [rows.pass(images.signed)]);
    const { findings } = await assess([...compile(STACK).policies.map(stored), mixed, collapsed]);
    assert.deepEqual(
      findings.map(({ image, verdict }) => [nameOf(image), verdict]),
      [
        ["unsigned", "cannotTell"],
        ["signed", "admitted"],
      ],
    );
  });

  it("refuses image volumes, leaves debug containers and finished pods out", async () => {
    const one = pod("production", "one", []);
    const spec = {
      containers: [],
      ephemeralContainers: [{ name: "debug", image: images.unsigned }],
      volumes: [{ name: "v", image: { reference: images.signed } }],
    };
    const over = pod("production", "over", [images.unsigned], { status: { phase: "Succeeded" } });
    const { findings } = await assess([{ ...one, spec }, over]);
    assert.deepEqual(
      findings.map(({ verdict, reason, place }) => [verdict, reason, place]),
      [["refused", "imageVolume", "volume"]],
    );
  });

  it("says when a tag has moved since a pod was started", async () => {
    const running = `sha256:${"e".repeat(64)}`;
    const status = { phase: "Running", containerStatuses: [{ name: "c0", imageID: `ghcr.io/x@${running}` }] };
    const { ask } = registries({ [images.unscanned]: true });
    const { findings } = await assess([pod("production", "p", [images.unscanned], { status })], {
      check: "needed",
      ask,
    });
    assert.deepEqual(findings[0]!.runningDigests, [running]);
    assert.match(
      findings[0]!.detail,
      /the tag has moved: it names sha256:dddddddddddd now, and sha256:eeeeeeeeeeee runs/,
    );
  });

  it("is 0 only when all is admitted, 2 when that can't be told", async () => {
    const policies = compile(STACK).policies.map(stored);
    const good = pod("production", "good", [images.signed]);
    const report = scanReport(good, [rows.pass(images.signed)]);
    const ready = await assess([...policies, good, report]);
    assert.deepEqual([ready.exitCode, ready.readiness.percent], [0, 100]);
    assert.equal((await assess([...policies, good])).exitCode, 2);
    assert.equal((await assess([])).exitCode, 2);
    const suspended = {
      ...STACK,
      suspend: [{ policy: "require-signed-images", reason: "because of a test", until: "2026-06-02T00:00:00Z" }],
    };
    const bad = pod("production", "bad", [images.unsigned]);
    const blind = await assess([...policies, bad], { config: configFromSettings(suspended) });
    assert.equal(blind.exitCode, 0);
    assert.match(blind.notes.join(), /require-signed-images is suspended until/);
  });

  it("does not pass as a gate when workloads may not be read", async () => {
    api = await startApiServer(collectionsOf(shopCluster()));
    api.trouble.set(collectionPath(resourceOf("CronJob")), "forbidden");
    const request = {
      stack: "test",
      config: configFromSettings(STACK),
      namespaces: ["shop"],
      everywhere: false,
      rollbacks: true,
    };
    const result = await assessImpact(clusterSource({ kubeconfig: api.kubeconfig }), {
      ...request,
      check: "never",
      now: NOW,
    });
    assert.equal(result.exitCode, 2);
    assert.match(
      describeImpact(result, false),
      /cronjobs\.batch +may not list cronjobs\.batch in the namespace shop: .*cannot list/,
    );
    assert.match(result.notes.join(), /--verb=list --resource=cronjobs\.batch/);
  });

  it("works before Kyverno is there", async () => {
    const objects = collectionsOf([pod("production", "p", [images.signed])]).slice(0, -3);
    api = await startApiServer(objects);
    const { ask } = registries({ [images.signed]: true });
    const request = {
      stack: "test",
      config: configFromSettings(STACK),
      namespaces: [],
      everywhere: false,
      rollbacks: true,
      ask,
    };
    const result = await assessImpact(clusterSource({ kubeconfig: api.kubeconfig }), {
      ...request,
      check: "needed",
      now: NOW,
    });
    assert.deepEqual([result.exitCode, result.readiness.percent], [0, 100]);
    assert.match(result.notRead[0]!.message, /the cluster has no clusterpolicies/);
  });

  it("prints what is in the way, and the rest when asked", async () => {
    const result = await assess(shopCluster());
    const text = describeImpact(result, false);
    assert.match(
      text,
      /^test, were it enforced now: 12% ready, 1 of 8 workloads start as they are\.\nSomething would be refused\. 5 refused, 2 cannot tell, 1 bypassed, 1 reported\n/,
    );
    assert.match(
      text,
      /refused +ghcr\.io\/ikey168\/modulo-worker:1\.4 .*Deployment\/shop +rollback to shop-1 +unsigned/,
    );
    assert.doesNotMatch(text, /^admitted/m);
    assert.match(describeImpact(result, true), /^admitted/m);
    assert.match(text, new RegExp(`its bypass ended ${ENDED_UNTIL}`));
  });

  it("is documented: the committed schema is what the code promises", () => {
    const file = path.join(__dirname, "..", "..", "..", "..", "docs", "json", "impact.schema.json");
    const committed = JSON.parse(fs.readFileSync(file, "utf8"));
    assert.deepEqual(committed, JSON.parse(JSON.stringify(z.toJSONSchema(impactSchema))));
  });

  describe("as a command, over saved objects", () => {
    let folder = "";
    before(() => {
      folder = fs.mkdtempSync(path.join(os.tmpdir(), "guard-impact-"));
      const config = Object.fromEntries(Object.entries(STACK).map(([k, v]) => [`image-signing-guard:${k}`, v]));
      fs.writeFileSync(path.join(folder, "Pulumi.test.yaml"), stringify({ config }, { aliasDuplicateObjects: false }));
    });
    after(() => fs.rmSync(folder, { recursive: true }));
    const impact = (args: readonly string[], input = "") =>
      runCommand(["impact", "-s", "test", "-C", folder, "--check", "never", ...args], input);

    it("reads a pipe and answers with JSON and the exit code", async () => {
      const list = JSON.stringify({ kind: "List", apiVersion: "v1", items: shopCluster() });
      const { code, out } = await impact(["--from", "-", "-o", "json"], list);
      const result = impactSchema.parse(JSON.parse(out));
      assert.equal(code, 1);
      assert.equal(result.exitCode, 1);
      assert.equal(result.source, "standard input");
    });

    it("says in one line that there is no cluster", async () => {
      const gone = await startApiServer([]);
      await gone.stop();
      const kubeconfig = path.join(folder, "kubeconfig");
      fs.writeFileSync(kubeconfig, gone.kubeconfig);
      const { code, err } = await impact(["--kubeconfig", kubeconfig]);
      assert.equal(code, 2);
      assert.match(
        err,
        /^error: no answer from the API server http:\/\/127\.0\.0\.1:\d+: nothing listens there \(ECONNREFUSED\)\n$/,
      );
    });
  });
});
