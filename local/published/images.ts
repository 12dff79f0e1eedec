/** Where a program's own project publishes it as an image, and who signs that. */
export interface PublishedImage {
  /** With its registry. */
  readonly repository: string;
  readonly tag: (version: string) => string;
  /** Who must have signed it; absent where its project signs no images, so that only the tag speaks for it. */
  readonly signer?: Readonly<Record<string, unknown>>;
}

const asIs = (version: string): string => version;

// https://kubernetes.io/docs/tasks/administer-cluster/verify-signed-artifacts/
const kubernetes = (name: string): PublishedImage => ({
  repository: `registry.k8s.io/${name}`,
  tag: asIs,
  signer: {
    keyless: {
      issuer: "https://accounts.google.com",
      subject: "krel-trust@k8s-releng-prod.iam.gserviceaccount.com",
    },
  },
});

// https://kyverno.io/docs/security/#verifying-kyverno-container-images
const kyverno = (name: string): PublishedImage => ({
  repository: `ghcr.io/kyverno/${name}`,
  tag: asIs,
  signer: {
    keyless: {
      issuer: "https://token.actions.githubusercontent.com",
      subject: "https://github.com/kyverno/kyverno/.github/workflows/*@refs/tags/v*",
    },
    acceptWildcardReason: "the project names no single workflow; any of its own at a release's tag",
  },
});

const prometheus: PublishedImage = { repository: "quay.io/prometheus/prometheus", tag: asIs };

/** By program. What is not here is built. To have another program from its image, add a line. */
export const PUBLISHED: Readonly<Record<string, PublishedImage>> = {
  prometheus,
  promtool: prometheus,
  etcd: { repository: "gcr.io/etcd-development/etcd", tag: asIs },
  "kube-apiserver": kubernetes("kube-apiserver"),
  "kube-controller-manager": kubernetes("kube-controller-manager"),
  kubectl: kubernetes("kubectl"),
  cosign: {
    repository: "ghcr.io/sigstore/cosign/cosign",
    tag: asIs,
    signer: {
      keyless: {
        issuer: "https://accounts.google.com",
        subject: "keyless@projectsigstore.iam.gserviceaccount.com",
      },
    },
  },
  crane: { repository: "gcr.io/go-containerregistry/crane", tag: asIs },
  // Helm's project publishes no image; this one follows its releases, and has kubectl's in docker.io/alpine/k8s beside it.
  helm: { repository: "docker.io/alpine/helm", tag: (version) => version.replace(/^v/, "") },
  kyverno: kyverno("kyverno"),
  "reports-controller": kyverno("reports-controller"),
  "background-controller": kyverno("background-controller"),
  "cleanup-controller": kyverno("cleanup-controller"),
};

/** Kyverno's chart, as Helm pushes charts: one layer, an archive of the chart's folder. Its project does not sign it. */
export const KYVERNO_CHART: PublishedImage = {
  repository: "ghcr.io/kyverno/charts/kyverno",
  tag: asIs,
};
