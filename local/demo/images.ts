import type { Registry } from "../registry";
import type { Cosign } from "../signing";
import { createSigner, type Identity, type Sigstore } from "../sigstore";

/** The identity that Pulumi.dev.yaml and Pulumi.prod.yaml ask for. */
export const expectedSigner: Identity = { repository: "Ikey168/Modulo" };

export const otherWorkflow: Identity = { repository: "Ikey168/Modulo", workflow: "nightly.yml" };
export const otherRepository: Identity = { repository: "mallory/Modulo" };

const backend = "ikey168/modulo-backend";

/** Public name of a repository in the local registry. */
export const publicName = (path: string): string => `ghcr.io/${path}`;

/** References as a person writes them in a manifest. */
export interface DemoImages {
  signed: string;
  signedByDigest: string;
  unsigned: string;
  unsignedByDigest: string;
  otherWorkflow: string;
  otherRepository: string;
  /** Signed like the first, but another image. */
  debug: string;
  nginx: string;
}

/** Pushes the images of the demo and signs them; one tag a way to be signed. */
export async function makeImages(registry: Registry, cosign: Cosign, sigstore: Sigstore): Promise<DemoImages> {
  const push = async (tag: string, signedBy?: Identity, repository = backend) => {
    const digest = await registry.pushImage(repository, tag);
    if (signedBy) await cosign.sign(`${publicName(repository)}@${digest}`, await createSigner(sigstore, signedBy));
    return { tagged: `${publicName(repository)}:${tag}`, digested: `${publicName(repository)}@${digest}` };
  };
  const signed = await push("1.0.0", expectedSigner);
  const unsigned = await push("unsigned");
  return {
    signed: signed.tagged,
    signedByDigest: signed.digested,
    unsigned: unsigned.tagged,
    unsignedByDigest: unsigned.digested,
    otherWorkflow: (await push("other-workflow", otherWorkflow)).tagged,
    otherRepository: (await push("other-repository", otherRepository)).tagged,
    debug: (await push("1.0.0", expectedSigner, "ikey168/modulo-debug")).tagged,
    // Never pulled: nobody asks a registry about an image that no signer covers.
    nginx: "nginx:1.27",
  };
}
