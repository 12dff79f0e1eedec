import * as assert from "node:assert/strict";
import { explain } from "../../cli/doctor/explain/explain";
import type { Reason } from "../../cli/judging/imageReport";
import type { BundleSigner, SignOptions } from "../../local/signing";
import { createSigner, type Identity, type Sigstore } from "../../local/sigstore";
import { apps, development, judgementOf, production, type World } from "./world";

/** One image, what `check` must say of it, and so what admission must do. */
interface Case {
  readonly title: string;
  readonly image: string;
  readonly reason: Reason;
  readonly verdict: "admitted" | "refused";
  readonly namespace?: string;
}

/** What a case may say beside the image and the reason. */
export type More = Partial<Case> & {
  /** The reason on 1.19, where it is another. */
  readonly on119?: Reason;
};

export const owner = "ghcr.io/ikey168";

/** Makes and signs images, collects what is expected of them, and holds `check` and admission against that. */
export function comparison(get: () => World) {
  const cases: Case[] = [];
  let count = 0;
  /** A fresh image of a repository. */
  const push = async (name = "modulo-app") => {
    const tag = `t${++count}`;
    const digest = await get().plane.registry.pushImage(`ikey168/${name}`, tag);
    return { tag: `${owner}/${name}:${tag}`, digest: `${owner}/${name}@${digest}`, hash: digest };
  };
  const signer = (identity: Partial<Identity> = {}, sigstore: Sigstore = get().sigstore) =>
    createSigner(sigstore, { repository: "Ikey168/Modulo", ...identity });
  return {
    push,
    signer,
    /** In the tag format. */
    signedBy: async (identity: Partial<Identity>, options: SignOptions = {}, name?: string) => {
      const image = await push(name);
      await get().cosign.sign(image.digest, await signer(identity), options);
      return image;
    },
    /** Who signs bundles. */
    by: (identity: Partial<Identity> = {}, services = get().services) => ({
      identity: { repository: "Ikey168/Modulo", ...identity },
      services,
    }),
    bundled: async (name: string, ...signers: BundleSigner[]) => {
      const image = await push(name);
      for (const one of signers) await get().cosign.signBundle(image.digest, one);
      return image;
    },
    add: (title: string, image: string, on110: Reason, { on119 = on110, ...more }: More = {}) => {
      const reason = get().node.kyverno.version.startsWith("1.10.") ? on110 : on119;
      const passes = ["signed", "exempt"].includes(reason);
      cases.push({ title, image, reason, verdict: passes ? "admitted" : "refused", ...more });
    },
    compare: () => compareAll(get(), cases),
  };
}

/** Asks `check` once for all and admission for each, and forgets the cases. */
async function compareAll(world: World, cases: Case[]): Promise<void> {
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
