import * as k8s from "@pulumi/kubernetes";
import { Config } from "@pulumi/pulumi";
import { GuardMode, ImageSigningGuard, type ImageSigningGuardArgs } from "image-signing-guard";

const images: ImageSigningGuardArgs["images"] = [
  {
    name: "modulo",
    repositories: ["ghcr.io/ikey168/modulo-*"],
    signers: [{ github: { repository: "Ikey168/Modulo", workflow: "docker-build.yml", ref: "refs/heads/main" } }],
  },
];
const modes = { staging: GuardMode.Audit, production: GuardMode.Enforce };

// pulumi config set --secret staging "$(kubectl config view --raw --minify --context staging)", and so for production
const config = new Config();
export const policies = Object.entries(modes).map(([cluster, mode]) => {
  const kubeconfig = config.requireSecret(cluster);
  const provider = new k8s.Provider(cluster, { kubeconfig });
  return new ImageSigningGuard(
    cluster,
    // The check with a canary asks the API server itself, so it needs the kubeconfig too.
    { mode, images, readiness: { kubeconfig } },
    { providers: { kubernetes: provider } },
  ).policyNames;
});
