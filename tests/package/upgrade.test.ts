import { strict as assert } from "node:assert";
import { openCli } from "./pulumiCli";
import { nameOf, openReleaseStack, previewUpgrade, readReleases } from "./release";

const log = process.env.E2E_LOG ? (line: string) => console.log(`      ${line}`) : () => {};

describe("an upgrade from a published version (a stand-in for the Kubernetes provider)", function () {
  this.timeout(300_000);

  for (const record of readReleases()) {
    it(`v${record.version} to this checkout replaces and deletes nothing`, async function () {
      this.timeout(40 * 60_000);
      const cli = await openCli(log, []);
      if ("missing" in cli) {
        this.skipReason = cli.missing;
        return this.skip();
      }
      const operations = await previewUpgrade(await openReleaseStack(cli, record.args), record);
      const old = record.deployment.resources.filter(({ type }) => !type.startsWith("pulumi:"));
      assert.ok(old.length > 10);
      for (const { urn } of old)
        assert.ok(
          ["same", "update"].includes(operations[nameOf(urn)] ?? "nothing"),
          `${nameOf(urn)}: ${operations[nameOf(urn)]}`,
        );
      for (const [name, op] of Object.entries(operations))
        assert.ok(["same", "update", "create"].includes(op), `${name}: ${op}`);
    });

    it(`is noticed where it would replace v${record.version}'s release`, async function () {
      this.timeout(40 * 60_000);
      const cli = await openCli(log, []);
      if ("missing" in cli) {
        this.skipReason = cli.missing;
        return this.skip();
      }
      const renamed = { ...record.args, kyverno: { ...record.args.kyverno, releaseName: "renamed" } };
      const operations = await previewUpgrade(await openReleaseStack(cli, renamed), record);
      assert.match(operations["guard-kyverno"] ?? "", /replace|delete/);
    });
  }
});
