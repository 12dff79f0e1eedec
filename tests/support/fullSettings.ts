import { newAuthority, newKeyPair } from "./pems";
import { GITHUB, MODULO } from "./settings";

/** A configuration in which every setting that reaches a policy is used. */
export async function fullSettings(changes: Record<string, unknown> = {}): Promise<Record<string, unknown>> {
  const authority = await newAuthority();
  const { publicKey } = newKeyPair();
  return {
    mode: "enforce",
    images: [
      {
        ...MODULO,
        name: "x".repeat(29),
        signers: [
          { github: { ...GITHUB, trigger: "push", callerRepository: "Ikey168/Modulo" } },
          { key: { publicKey } },
          { key: { kms: "awskms:///alias/cosign" } },
          { key: { secretName: "cosign" } },
          { certificate: { certificate: authority.leaf.pem, chain: authority.intermediate.pem + authority.root.pem } },
        ],
        threshold: 2,
        signatureRepository: "ghcr.io/ikey168/signatures",
        attestations: [
          {
            predicateType: "https://slsa.dev/provenance/v1",
            signers: [{ github: GITHUB }],
            conditions: [{ all: [{ key: "{{ builder.id }}", operator: "Equals", value: "x" }] }],
          },
        ],
      },
      { name: "tools", repositories: ["quay.io/tools/*", "localhost:5000/tools"], signers: [{ key: { publicKey } }] },
    ],
    namespaces: {
      system: ["istio-system", "prod-mesh"],
      overrides: [
        { namespace: "prod-new", mode: "audit", reason: "not signed yet" },
        { namespace: "dev-gate", mode: "enforce" },
        { namespace: "team-a-*", mode: "audit" },
      ],
    },
    uncovered: { applications: "report", exempt: [{ repositories: ["registry.k8s.io/*"], reason: "Kubernetes" }] },
    bypass: { groups: ["platform-oncall"], users: ["alice@example.com"], serviceAccounts: ["ops:break-glass"] },
    trust: {
      root: "custom",
      fulcioCertificates: authority.intermediate.pem + authority.root.pem,
      rekor: { url: "https://rekor.example.com", publicKey },
      ctLogPublicKey: publicKey,
    },
    ...changes,
  };
}
