import { GuardMode, ImageSigningGuard } from "image-signing-guard";

const guard = new ImageSigningGuard("guard", {
  mode: GuardMode.Enforce,
  images: [
    {
      name: "modulo",
      repositories: ["ghcr.io/ikey168/modulo-*"],
      signers: [{ github: { repository: "Ikey168/Modulo", workflow: "docker-build.yml", ref: "refs/heads/main" } }],
    },
  ],
  bypass: { groups: ["platform-oncall"], maxHours: 4 },
});

export const policies = guard.policyNames;
export const readiness = guard.readiness;
