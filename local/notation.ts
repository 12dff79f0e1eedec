import * as fs from "node:fs";
import * as path from "node:path";
import { ensureTool } from "./build";
import type { Certificate } from "./certificates";
import { type Log, silent } from "./log";
import { baseEnv, runToEnd } from "./processes";

/** Signs as the Notary project's Notation does. */
export interface Notation {
  /** `chain`: PEMs of those above the certificate, root last; itself alone where it is self-signed. */
  sign(repository: string, digest: string, by: Certificate, chain?: string, envelope?: "jws" | "cose"): Promise<void>;
}

const ENVELOPES = { jws: "application/jose+json", cose: "application/cose" } as const;

export function createNotation(options: { workDir: string; registry: string; log?: Log }): Notation {
  const folder = path.join(options.workDir, "notation");
  fs.mkdirSync(folder, { recursive: true });
  let count = 0;
  return {
    sign: async (repository, digest, by, chain = "", envelope = "jws") => {
      const command = await ensureTool("notation", options.log ?? silent);
      const write = (name: string, content: string) => {
        const file = path.join(folder, `${count}-${name}`);
        fs.writeFileSync(file, content, { mode: 0o600 });
        return file;
      };
      count++;
      const args = [
        `-key=${write("key.pem", by.privateKeyPem)}`,
        `-chain=${write("chain.pem", by.pem + chain)}`,
        `-format=${ENVELOPES[envelope]}`,
        `${options.registry}/${repository}@${digest}`,
      ];
      const logFile = path.join(options.workDir, "logs", `notation-${count}.log`);
      await runToEnd({ name: "notation sign", command, args, cwd: folder, env: baseEnv(), logFile }, 60_000);
    },
  };
}
