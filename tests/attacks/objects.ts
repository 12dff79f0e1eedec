/** Objects of attacks and of honest work. */
export interface Body {
  apiVersion: string;
  kind: string;
  metadata: Record<string, unknown>;
  [field: string]: unknown;
}

type Meta = object;

export const container = (image: string, name = "app"): object => ({ name, image });

/** The pod that runs one image. */
export const podSpec = (image: string, more: object = {}): object => ({ containers: [container(image)], ...more });

export const pod = (name: string, image: string, meta: Meta = {}, spec: object = {}): Body => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, ...meta },
  spec: podSpec(image, spec),
});

/** Part of a pod's spec: an image mounted as a volume. */
export const imageVolume = (reference: string): object => ({
  volumes: [{ name: "data", image: { reference, pullPolicy: "Always" } }],
});

const template = (name: string, image: string, meta: Meta, spec: object = {}): object => ({
  metadata: { labels: { app: name }, ...meta },
  spec: podSpec(image, spec),
});
const selector = (name: string): object => ({ matchLabels: { app: name } });

export const deployment = (name: string, image: string, podMeta: Meta = {}, meta: Meta = {}): Body => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name, ...meta },
  spec: { replicas: 1, selector: selector(name), template: template(name, image, podMeta) },
});

export const volumeDeployment = (name: string): Body => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name },
  spec: {
    replicas: 0,
    selector: selector(name),
    template: template(name, "quay.io/other/app:1", {}, imageVolume("quay.io/other/data:1")),
  },
});

/** Every kind that carries a pod template, with the template's metadata and the object's own. */
export const controllers: Record<string, (name: string, image: string, podMeta?: Meta, meta?: Meta) => Body> = {
  Deployment: deployment,
  StatefulSet: (name, image, podMeta = {}, meta = {}) => ({
    apiVersion: "apps/v1",
    kind: "StatefulSet",
    metadata: { name, ...meta },
    spec: { replicas: 1, serviceName: name, selector: selector(name), template: template(name, image, podMeta) },
  }),
  DaemonSet: (name, image, podMeta = {}, meta = {}) => ({
    apiVersion: "apps/v1",
    kind: "DaemonSet",
    metadata: { name, ...meta },
    spec: { selector: selector(name), template: template(name, image, podMeta) },
  }),
  ReplicaSet: (name, image, podMeta = {}, meta = {}) => ({
    apiVersion: "apps/v1",
    kind: "ReplicaSet",
    metadata: { name, ...meta },
    spec: { replicas: 1, selector: selector(name), template: template(name, image, podMeta) },
  }),
  ReplicationController: (name, image, podMeta = {}, meta = {}) => ({
    apiVersion: "v1",
    kind: "ReplicationController",
    metadata: { name, ...meta },
    spec: { replicas: 1, selector: { app: name }, template: template(name, image, podMeta) },
  }),
  Job: (name, image, podMeta = {}, meta = {}) => ({
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name, ...meta },
    spec: { backoffLimit: 0, template: { metadata: podMeta, spec: podSpec(image, { restartPolicy: "Never" }) } },
  }),
  CronJob: (name, image, podMeta = {}, meta = {}) => ({
    apiVersion: "batch/v1",
    kind: "CronJob",
    metadata: { name, ...meta },
    spec: {
      schedule: "0 0 1 1 *",
      jobTemplate: {
        spec: { template: { metadata: podMeta, spec: podSpec(image, { restartPolicy: "Never" }) } },
      },
    },
  }),
};
