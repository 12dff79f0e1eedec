import { KubeConfig } from "@kubernetes/client-node";

export type Credentials = { certPem: string; keyPem: string } | { token: string };

/** A kubeconfig with everything inline, so that it works from any folder. */
export function kubeConfig(server: string, caPem: string, user: string, credentials: Credentials): KubeConfig {
  const base64 = (text: string) => Buffer.from(text).toString("base64");
  const config = new KubeConfig();
  config.loadFromOptions({
    clusters: [{ name: "local", server, caData: base64(caPem), skipTLSVerify: false }],
    users: [
      "token" in credentials
        ? { name: user, token: credentials.token }
        : { name: user, certData: base64(credentials.certPem), keyData: base64(credentials.keyPem) },
    ],
    contexts: [{ name: "local", cluster: "local", user }],
    currentContext: "local",
  });
  return config;
}
