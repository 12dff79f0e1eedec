import type { DemoImages } from "./images";
import type { StackName } from "./settings";

/** `reported` is admitted, with a failed result in the policy reports. */
export type Verdict = "admitted" | "reported" | "refused";

export interface Expected {
  readonly verdict: Verdict;
  /** The policy that refuses it, or whose result is in the reports; none where nobody looks. */
  readonly policy?: string;
  /** What a person must be able to read in the refusal or report. */
  readonly says?: RegExp;
}

export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly labels?: Record<string, string>;
    readonly annotations?: Record<string, string>;
  };
  readonly spec: object;
}

export interface DemoCase {
  /** Name of the object; a stack's name is put behind it. */
  readonly id: string;
  readonly title: string;
  readonly namespace: string;
  /** The object, without its namespace. */
  readonly make: (images: DemoImages, name: string) => Omit<Manifest, "metadata"> & { metadata: { name: string } };
  readonly expected: Readonly<Record<StackName, Expected>>;
}

export const namespaces = {
  production: "production",
  application: "shop",
  development: "dev-anna",
  excluded: "kube-system",
} as const;

const podSpec = (image: string, init?: string) => ({
  ...(init ? { initContainers: [{ name: "prepare", image: init }] } : {}),
  containers: [{ name: "app", image }],
});

export const pod = (name: string, image: string, init?: string) => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name },
  spec: podSpec(image, init),
});

const labels = { app: "demo" };
const template = (image: string) => ({ metadata: { labels }, spec: podSpec(image) });

export const deployment = (name: string, image: string) => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name },
  spec: { replicas: 1, selector: { matchLabels: labels }, template: template(image) },
});

export const cronJob = (name: string, image: string) => ({
  apiVersion: "batch/v1",
  kind: "CronJob",
  metadata: { name },
  spec: {
    schedule: "0 3 * * *",
    jobTemplate: { spec: { template: { spec: { ...podSpec(image), restartPolicy: "Never" } } } },
  },
});

const unsigned = /no (matching )?signatures/;
const anotherSubject = /subject mismatch|none of the expected identities matched/;
const noSigner = /no signer is configured for docker\.io\/\S*nginx:1\.27/;

/** Where the policy reports in audit and refuses in enforce. */
const fails = (policy: string, says: RegExp): DemoCase["expected"] => ({
  dev: { verdict: "reported", policy, says },
  prod: { verdict: "refused", policy, says },
});

const passes = (policy: string): DemoCase["expected"] => ({
  dev: { verdict: "admitted", policy },
  prod: { verdict: "admitted", policy },
});

/** What the demo shows and the end-to-end tests assert, with the settings of Pulumi.dev.yaml and Pulumi.prod.yaml. */
export const cases: readonly DemoCase[] = [
  {
    id: "signed",
    title: "signed",
    namespace: namespaces.production,
    make: (images, name) => pod(name, images.signed),
    expected: passes("require-signed-images"),
  },
  {
    id: "digest",
    title: "signed, by digest",
    namespace: namespaces.production,
    make: (images, name) => pod(name, images.signedByDigest),
    expected: passes("require-signed-images"),
  },
  {
    id: "unsigned",
    title: "unsigned",
    namespace: namespaces.production,
    make: (images, name) => pod(name, images.unsigned),
    expected: fails("require-signed-images", unsigned),
  },
  {
    id: "unsigned-digest",
    title: "unsigned, by digest",
    namespace: namespaces.production,
    make: (images, name) => pod(name, images.unsignedByDigest),
    expected: fails("require-signed-images", unsigned),
  },
  {
    id: "other-workflow",
    title: "signed by another workflow",
    namespace: namespaces.production,
    make: (images, name) => pod(name, images.otherWorkflow),
    expected: fails("require-signed-images", anotherSubject),
  },
  {
    id: "other-repository",
    title: "signed by another repository",
    namespace: namespaces.production,
    make: (images, name) => pod(name, images.otherRepository),
    expected: fails("require-signed-images", anotherSubject),
  },
  {
    id: "init",
    title: "init container unsigned",
    namespace: namespaces.production,
    make: (images, name) => pod(name, images.signed, images.unsigned),
    expected: fails("require-signed-images", unsigned),
  },
  {
    id: "deployment",
    title: "Deployment, image unsigned",
    namespace: namespaces.application,
    make: (images, name) => deployment(name, images.unsigned),
    expected: fails("verify-image-signatures-templates", unsigned),
  },
  {
    id: "cronjob",
    title: "CronJob, image unsigned",
    namespace: namespaces.application,
    make: (images, name) => cronJob(name, images.unsigned),
    expected: fails("verify-image-signatures-templates", unsigned),
  },
  {
    id: "nginx-production",
    title: "nginx, no signer known",
    namespace: namespaces.production,
    make: (images, name) => pod(name, images.nginx),
    expected: fails("require-signed-images", noSigner),
  },
  {
    id: "nginx-application",
    title: "nginx, no signer known",
    namespace: namespaces.application,
    make: (images, name) => pod(name, images.nginx),
    expected: {
      dev: { verdict: "reported", policy: "audit-unsigned-images", says: noSigner },
      prod: { verdict: "reported", policy: "audit-unsigned-images", says: noSigner },
    },
  },
  {
    id: "development",
    title: "unsigned",
    namespace: namespaces.development,
    make: (images, name) => pod(name, images.unsigned),
    expected: {
      dev: { verdict: "reported", policy: "verify-image-signatures", says: unsigned },
      prod: { verdict: "reported", policy: "verify-image-signatures-audit", says: unsigned },
    },
  },
  {
    id: "excluded",
    title: "unsigned, excluded namespace",
    namespace: namespaces.excluded,
    make: (images, name) => pod(name, images.unsigned),
    expected: { dev: { verdict: "admitted" }, prod: { verdict: "admitted" } },
  },
];
