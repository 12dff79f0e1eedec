import * as fs from "node:fs";
import * as path from "node:path";
import { ensureTool } from "./build";
import { type Log, silent } from "./log";
import { baseEnv, runToEnd } from "./processes";
import type { Registry } from "./registry";
import { type Identity, rekorBundle, type Signer, type Sigstore, signBytes, simpleSigning } from "./sigstore";
import type { SigstoreServices } from "./sigstoreServices";

export interface SignOptions {
  /** With a promise of the transparency log; true when left out. */
  tlog?: boolean;
  /** When the log took it; ten seconds after the certificate's start when left out. */
  integratedTime?: Date;
  annotations?: Record<string, string>;
}

export interface SigningKey {
  keyFile: string;
  publicKey: string;
}

/** Signs with cosign 3: in its tag format (sha256-<hex>.sig beside the image), and as bundles among the image's referrers. */
export interface Cosign {
  /** Image as repository@sha256:..., with the name that Kyverno will see. */
  sign(image: string, signer: Signer, options?: SignOptions): Promise<void>;
  createKey(name: string): Promise<SigningKey>;
  signWithKey(image: string, key: SigningKey): Promise<void>;
  /** A DSSE attestation, SLSA provenance when left out; without the log, or with an entry in that of the services. */
  attest(
    image: string,
    signer: Signer,
    predicate?: object,
    type?: string,
    log?: Pick<SigstoreServices, "url">,
  ): Promise<void>;
  /** A bundle among the image's referrers, as cosign 3 makes it by default. */
  signBundle(image: string, by: BundleSigner): Promise<void>;
  /** The same for a statement, SLSA provenance v1 when left out. */
  attestBundle(image: string, by: BundleSigner, predicate?: object, type?: string): Promise<void>;
  run(args: readonly string[], env?: Record<string, string>): Promise<string>;
}

/** A job that the services know, or a key, then without any log. */
export type BundleSigner =
  | { readonly identity: Identity; readonly services: SigstoreServices }
  | { readonly key: SigningKey };

const password = "local";

/** What cosign 3 must be told to sign in the format that Kyverno 1.10 reads. */
export const TAG_FORMAT = ["--new-bundle-format=false", "--use-signing-config=false"];

export async function createCosign(options: {
  sigstore: Sigstore;
  workDir: string;
  /** Where certificate signatures are pushed to without the program, which takes minutes to build. */
  pushTo?: Pick<Registry, "attachSignature">;
  /** HTTPS_PROXY and SSL_CERT_FILE, so that public image names lead to the local registry. */
  env?: Readonly<Record<string, string>>;
  log?: Log;
}): Promise<Cosign> {
  // Of two that need it at once only the first builds it.
  let command = options.pushTo ? undefined : ensureTool("cosign", options.log ?? silent);
  await command;
  const folder = path.join(options.workDir, "cosign");
  fs.mkdirSync(folder, { recursive: true });
  let count = 0;

  const run = async (args: readonly string[], env: Record<string, string> = {}, cwd = folder) => {
    command ??= ensureTool("cosign", options.log ?? silent);
    return runToEnd(
      {
        name: `cosign ${args.slice(0, 2).join(" ")}`,
        command: await command,
        args,
        cwd,
        // No home: neither the user's registry logins nor a TUF cache play a part.
        env: { ...baseEnv(), ...options.env, HOME: folder, COSIGN_PASSWORD: password, ...env },
        logFile: path.join(options.workDir, "logs", "cosign", `${++count}.log`),
      },
      60_000,
    );
  };
  const write = (name: string, content: string) => {
    const file = path.join(folder, `${count}-${name}`);
    fs.writeFileSync(file, content, { mode: 0o600 });
    return file;
  };

  const bundleArgs = (by: BundleSigner): string[] => {
    if ("key" in by)
      return [`--key=${by.key.keyFile}`, `--signing-config=${write("signing-config.json", WITHOUT_SERVICES)}`];
    const { services, identity } = by;
    return [
      `--identity-token=${services.token(identity)}`,
      `--signing-config=${write("signing-config.json", services.signingConfig)}`,
      `--trusted-root=${write("trusted-root.json", services.trustedRoot)}`,
    ];
  };

  return {
    run,
    signBundle: async (image, by) => {
      await run(["sign", "--yes", ...bundleArgs(by), image]);
    },
    attestBundle: async (image, by, predicate = provenanceV1, type = "slsaprovenance1") => {
      const file = write("predicate.json", JSON.stringify(predicate));
      await run(["attest", "--yes", ...bundleArgs(by), `--predicate=${file}`, `--type=${type}`, image]);
    },
    sign: async (image, signer, { tlog = true, integratedTime, annotations } = {}) => {
      const [repository, digest] = split(image);
      const payload = simpleSigning(repository, digest, annotations ?? null);
      const { pem, privateKeyPem } = signer.certificate;
      const signature = signBytes(privateKeyPem, payload);
      const time = integratedTime ?? new Date(signer.notBefore.getTime() + 10_000);
      const bundle = tlog ? rekorBundle(options.sigstore.rekor, payload, signature, pem, time) : undefined;
      if (options.pushTo) {
        const withoutHost = repository.slice(repository.indexOf("/") + 1);
        await options.pushTo.attachSignature({ repository: withoutHost, digest }, payload, {
          "dev.cosignproject.cosign/signature": signature,
          "dev.sigstore.cosign/certificate": pem,
          "dev.sigstore.cosign/chain": signer.chain,
          ...(bundle ? { "dev.sigstore.cosign/bundle": JSON.stringify(bundle) } : {}),
        });
        return;
      }
      const args = [
        "attach",
        "signature",
        `--payload=${write("payload.json", payload)}`,
        `--signature=${write("signature", signature)}`,
        `--certificate=${write("certificate.pem", pem)}`,
        `--certificate-chain=${write("chain.pem", signer.chain)}`,
      ];
      if (bundle) {
        args.push(`--rekor-response=${write("rekor.json", JSON.stringify({ rekorBundle: bundle }))}`);
      }
      await run([...args, image]);
    },
    createKey: async (name) => {
      await run(["generate-key-pair", `--output-key-prefix=${name}`]);
      const keyFile = path.join(folder, `${name}.key`);
      return { keyFile, publicKey: fs.readFileSync(path.join(folder, `${name}.pub`), "utf8") };
    },
    signWithKey: async (image, key) => {
      await run(["sign", "--yes", ...TAG_FORMAT, "--tlog-upload=false", `--key=${key.keyFile}`, image]);
    },
    attest: async (image, signer, predicate = provenance, type = "slsaprovenance", rekor) => {
      const name = `attest-${count}`;
      const keyFile = write("leaf.pem", signer.certificate.privateKeyPem);
      await run(["import-key-pair", "--yes", `--key=${keyFile}`, `--output-key-prefix=${name}`]);
      const logKey = write("rekor.pub", options.sigstore.rekorPublicKey);
      const args = [
        "attest",
        "--yes",
        ...TAG_FORMAT,
        ...(rekor ? [`--rekor-url=${rekor.url}`] : ["--tlog-upload=false"]),
        `--key=${path.join(folder, `${name}.key`)}`,
        `--certificate=${write("certificate.pem", signer.certificate.pem)}`,
        `--certificate-chain=${write("chain.pem", signer.chain)}`,
        `--predicate=${write("predicate.json", JSON.stringify(predicate))}`,
        `--type=${type}`,
        image,
      ];
      await run(args, rekor ? { SIGSTORE_REKOR_PUBLIC_KEY: logKey } : {});
    },
  };
}

const WITHOUT_SERVICES = JSON.stringify({
  mediaType: "application/vnd.dev.sigstore.signingconfig.v0.2+json",
  rekorTlogConfig: {},
  tsaConfig: {},
});

/** The least that passes for SLSA provenance v1. */
export const provenanceV1 = {
  buildDefinition: {
    buildType: "https://actions.github.io/buildtypes/workflow/v1",
    externalParameters: { workflow: { ref: "refs/heads/main" } },
  },
  runDetails: { builder: { id: "https://github.com/actions/runner/github-hosted" } },
};

/** The least that passes for SLSA provenance v0.2. */
export const provenance = {
  builder: { id: "https://github.com/actions/runner/github-hosted" },
  buildType: "https://github.com/Attestations/GitHubActionsWorkflow@v1",
  invocation: { configSource: { uri: "git+https://github.com/Ikey168/Modulo@refs/heads/main" } },
};

function split(image: string): [repository: string, digest: string] {
  const [repository, digest] = image.split("@");
  if (repository === undefined || digest === undefined) {
    throw new Error(
      `sign: expected repository@sha256:..., found "${image}"; a tag could move between signing and reading`,
    );
  }
  return [repository, digest];
}
