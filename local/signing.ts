import * as fs from "node:fs";
import * as path from "node:path";
import { ensureTool } from "./build";
import { type Log, silent } from "./log";
import { baseEnv, runToEnd } from "./processes";
import type { Registry } from "./registry";
import { rekorBundle, type Signer, type Sigstore, signBytes, simpleSigning } from "./sigstore";

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

/** Signs with cosign v2 in its legacy format: a tag sha256-<hex>.sig beside the image. */
export interface Cosign {
  /** Image as repository@sha256:..., with the name that Kyverno will see. */
  sign(image: string, signer: Signer, options?: SignOptions): Promise<void>;
  createKey(name: string): Promise<SigningKey>;
  signWithKey(image: string, key: SigningKey): Promise<void>;
  /** A DSSE attestation, SLSA provenance when left out; without the log. */
  attest(image: string, signer: Signer, predicate?: object, type?: string): Promise<void>;
  run(args: readonly string[], env?: Record<string, string>): Promise<string>;
}

const password = "local";

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

  return {
    run,
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
      await run(["sign", "--yes", "--tlog-upload=false", `--key=${key.keyFile}`, image]);
    },
    attest: async (image, signer, predicate = provenance, type = "slsaprovenance") => {
      const name = `attest-${count}`;
      const keyFile = write("leaf.pem", signer.certificate.privateKeyPem);
      await run(["import-key-pair", "--yes", `--key=${keyFile}`, `--output-key-prefix=${name}`]);
      await run([
        "attest",
        "--yes",
        "--tlog-upload=false",
        `--key=${path.join(folder, `${name}.key`)}`,
        `--certificate=${write("certificate.pem", signer.certificate.pem)}`,
        `--certificate-chain=${write("chain.pem", signer.chain)}`,
        `--predicate=${write("predicate.json", JSON.stringify(predicate))}`,
        `--type=${type}`,
        image,
      ]);
    },
  };
}

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
