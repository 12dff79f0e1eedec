import * as assert from "node:assert/strict";
import { explain } from "../../cli/doctor/explain/explain";
import type { Reason } from "../../cli/judging/imageReport";
import { apps, development, judgementOf, production, type World } from "./world";

/** One image, what `check` must say of it, and so what admission must do. */
export interface Case {
  readonly title: string;
  readonly image: string;
  readonly reason: Reason;
  readonly verdict: "admitted" | "refused";
  readonly namespace?: string;
}

/** Asks `check` once for all and admission for each, and forgets the cases. */
export async function compareAll(world: World, cases: Case[]): Promise<void> {
  const report = await world.check(
    cases.map(({ image }) => image),
    [production, apps, development],
  );
  const wrong: string[] = [];
  for (const { title, image, reason, verdict, namespace = apps } of cases) {
    const said = judgementOf(report, image, namespace);
    const done = await world.admit(image, namespace);
    const admitted = done === "admitted";
    if (said.reason !== reason || said.verdict !== verdict) {
      wrong.push(`${title}: check says ${said.verdict} (${said.reason}: ${said.detail})`);
    }
    if (admitted !== (verdict === "admitted")) {
      wrong.push(`${title}: expected ${verdict}, admission says ${done}`);
    }
    if (!admitted && explain(done).exitCode !== 0) wrong.push(`${title}: doctor explain does not know ${done}`);
  }
  console.log(`      ${cases.length} images compared`);
  cases.length = 0;
  assert.deepEqual(wrong, []);
  assert.equal(report.exitCode, 1);
}

/** As if what refers to one image referred to another: the list of its referrers is handed on. */
export async function copyReferrers({ push }: World, repository: string, from: string, to: string): Promise<void> {
  const list = await push.read(repository, from.replace(":", "-"));
  await push.manifest(repository, to.replace(":", "-"), list);
}
