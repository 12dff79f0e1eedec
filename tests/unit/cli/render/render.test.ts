import * as assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { parse, parseAllDocuments } from "yaml";
import { type Rendered, renderStack, writeRendered } from "../../../../cli/render/run";
import type { ImageSigningGuardArgs } from "../../../../components/args";
import { ImageSigningGuard } from "../../../../components/imageSigningGuard";
import { fullSettings } from "../../../support/fullSettings";
import { type Registered, runStack } from "../../../support/mockStack";
import { settings, stackSettings } from "../../../support/settings";

type Document = { apiVersion: string; kind: string; metadata: Record<string, unknown>; [field: string]: unknown };

const fileOf = ({ files }: Rendered, name: string) => files.find((file) => file.name === name)!.text;
const documentsOf = (rendered: Rendered): Document[] =>
  ["1-prerequisites.yaml", "3-policies.yaml", "4-backstop.yaml", "4-monitoring.yaml"]
    .filter((name) => rendered.files.some((file) => file.name === name))
    .flatMap((name) => parseAllDocuments(fileOf(rendered, name)).map((document) => document.toJS() as Document));
const textOf = (rendered: Rendered) => rendered.files.map(({ text }) => text).join("");

/** What was sent to the engine for a Kubernetes object, without Pulumi's own annotations. */
function sent({ inputs }: Registered): Document {
  const document = JSON.parse(JSON.stringify(inputs)) as Document;
  const { annotations = {}, ...metadata } = document.metadata as { annotations?: Record<string, string> };
  const own = Object.entries(annotations).filter(([key]) => !key.startsWith("pulumi.com/"));
  return { ...document, metadata: own.length > 0 ? { ...metadata, annotations: Object.fromEntries(own) } : metadata };
}

const byName = (a: Document, b: Document) =>
  `${a.kind} ${a.metadata.name}`.localeCompare(`${b.kind} ${b.metadata.name}`);

const STACKS: [name: string, settings: () => Promise<Record<string, unknown>>][] = [
  ["dev", async () => stackSettings("dev")],
  ["prod", async () => stackSettings("prod")],
  ["everything", () => fullSettings()],
  ["Kyverno 1.19", () => fullSettings({ kyverno: { target: "1.19" } })],
  ["monitoring", () => fullSettings({ monitoring: { prometheusOperator: true, policyReporter: { enabled: true } } })],
  ["monitoring without operator", () => fullSettings({ monitoring: {} })],
];

describe("render", () => {
  for (const [name, load] of STACKS) {
    it(`writes exactly what the component creates (${name})`, async () => {
      const given = await load();
      const rendered = renderStack(given);
      const args = { ...given, readiness: { canary: false } } as unknown as ImageSigningGuardArgs;
      const { resources } = await runStack(() => new ImageSigningGuard("guard", args));
      const releases = resources.filter(({ type }) => type.includes("helm"));
      const objects = resources.filter(({ custom }) => custom).filter((resource) => !releases.includes(resource));
      assert.deepEqual(documentsOf(rendered).sort(byName), objects.map(sent).sort(byName));
      const files = ["2-kyverno-values.yaml", "5-policy-reporter-values.yaml"].slice(0, releases.length);
      assert.deepEqual(
        files.map((file) => parse(fileOf(rendered, file))),
        releases.map(({ inputs }) => inputs.values),
      );
    });

    it(`writes the same twice, and nothing undefined (${name})`, async () => {
      const given = await load();
      const whole = textOf(renderStack(given));
      assert.equal(textOf(renderStack(structuredClone(given))), whole);
      // Certificates are made by chance, and their base64 may spell anything.
      const text = whole.replace(/-----BEGIN [\s\S]*?-----END/g, "");
      assert.ok(!/undefined|NaN|\[object /.test(text));
      for (const line of text.split("\n").filter((candidate) => /\bnull\b/.test(candidate)))
        assert.match(line, /^\s*emptyDir: null$/);
      assert.ok(!/[&*]a\d+/.test(text), "YAML aliases are hard to read in a diff");
    });
  }

  it("does not depend on the order of lists that are sets", () => {
    const namespaces = {
      system: ["istio-system", "cert-manager"],
      production: ["live", "live-*"],
      development: ["lab", "lab-*"],
      overrides: [
        { namespace: "team-a", mode: "audit" },
        { namespace: "team-b", mode: "audit" },
      ],
    };
    const forth = settings({ mode: "enforce", namespaces, bypass: { groups: ["a", "b"], users: ["c", "d"] } });
    const back = settings({
      bypass: { users: ["d", "c"], groups: ["b", "a"] },
      namespaces: Object.fromEntries(Object.entries(namespaces).map(([key, list]) => [key, [...list].reverse()])),
      mode: "enforce",
    });
    assert.equal(textOf(renderStack(forth)), textOf(renderStack(back)));
  });

  it("does not depend on the clock", () => {
    const texts = ["2026-01-01T00:00:00Z", "2030-01-01T00:00:00Z"].map((now) =>
      textOf(renderStack(stackSettings("prod"), new Date(now))),
    );
    assert.equal(texts[0], texts[1]);
  });

  it("puts guards before the policies that they protect", () => {
    const names = parseAllDocuments(fileOf(renderStack(stackSettings("prod")), "3-policies.yaml")).map((document) =>
      String((document.toJS() as Document).metadata.name),
    );
    const areGuards = names.map((name) => name.startsWith("guard-"));
    assert.ok(areGuards.includes(true));
    assert.deepEqual(areGuards, [...areGuards].sort().reverse(), names.join());
  });

  it("tells the helm command that installs the values", () => {
    const text = fileOf(renderStack(settings({ kyverno: { namespace: "policy" } })), "2-kyverno-values.yaml");
    assert.match(text, /helm upgrade --install kyverno kyverno --repo https:\/\/kyverno\.github\.io\/kyverno\/ \\\n/);
    assert.match(text, /--version 3\.0\.9 --namespace policy --values 2-kyverno-values\.yaml/);
  });

  it("passes warnings on", () => {
    const suspend = [{ policy: "all", reason: "outage 7", until: "2999-01-01T00:00:00Z" }];
    assert.ok(renderStack(settings({ suspend })).warnings.some((text) => text.includes("outage 7")));
  });

  it("writes files into a folder that it makes, or prints documents that parse", () => {
    const rendered = renderStack(settings());
    const folder = path.join(fs.mkdtempSync(path.join(os.tmpdir(), "guard-render-")), "deep", "er");
    writeRendered(rendered, folder, () => assert.fail("printed"));
    for (const { name, text } of rendered.files) assert.equal(fs.readFileSync(path.join(folder, name), "utf8"), text);
    fs.rmSync(path.dirname(path.dirname(folder)), { recursive: true });
    let printed = "";
    writeRendered(rendered, undefined, (text) => {
      printed += text;
    });
    const documents = parseAllDocuments(printed);
    assert.ok(documents.every((document) => document.errors.length === 0));
    assert.equal(documents.length, documentsOf(rendered).length + 1);
  });
});
