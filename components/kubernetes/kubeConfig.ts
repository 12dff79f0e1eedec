import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { yamlMistake } from "../mistakes";

/** Which cluster to talk to; what is left out is taken as kubectl takes it. */
export interface ClusterTarget {
  /** Kubeconfig content or path. */
  readonly kubeconfig?: string;
  readonly context?: string;
  /** Names in the kubeconfig that take the place of those in the context. */
  readonly cluster?: string;
  readonly user?: string;
  /** Milliseconds that one request may take; 0: no limit. Default: {@link DEFAULT_TIMEOUT_MS}. */
  readonly requestTimeoutMs?: number;
}

/** As long as the API server itself works on a request. */
export const DEFAULT_TIMEOUT_MS = 60_000;

const text = z.string().nullish();
const clusterShape = z.object({
  server: z.string(),
  "certificate-authority": text,
  "certificate-authority-data": text,
  "insecure-skip-tls-verify": z.boolean().nullish(),
  "tls-server-name": text,
  "proxy-url": text,
});
const execShape = z.object({
  apiVersion: text,
  command: z.string(),
  args: z.array(z.string()).nullish(),
  env: z.array(z.object({ name: z.string(), value: z.string() })).nullish(),
  installHint: text,
  provideClusterInfo: z.boolean().nullish(),
});
const userShape = z.object({
  "client-certificate": text,
  "client-certificate-data": text,
  "client-key": text,
  "client-key-data": text,
  token: text,
  tokenFile: text,
  username: text,
  password: text,
  as: text,
  "as-uid": text,
  "as-groups": z.array(z.string()).nullish(),
  "as-user-extra": z.record(z.string(), z.array(z.string())).nullish(),
  exec: execShape.nullish(),
  "auth-provider": z.object({ name: z.string(), config: z.record(z.string(), z.unknown()).nullish() }).nullish(),
});
const named = <Field extends string, Shape extends z.ZodType>(field: Field, shape: Shape) =>
  z
    .array(z.object({ name: z.string(), [field]: shape } as { name: z.ZodString } & Record<Field, Shape>))
    .nullish()
    .transform((entries) => entries ?? []);
const kubeConfigShape = z.object({
  clusters: named("cluster", clusterShape),
  users: named("user", userShape),
  contexts: named("context", z.object({ cluster: z.string(), user: text })),
  "current-context": text,
});

type KubeConfig = z.output<typeof kubeConfigShape>;
export type ClusterEntry = z.output<typeof clusterShape>;
export type UserEntry = z.output<typeof userShape>;
export type ExecPlugin = z.output<typeof execShape>;

/** What the kubeconfig says about the cluster that is meant; paths are absolute. */
export interface ClusterAccess {
  readonly context: string;
  readonly cluster: ClusterEntry;
  readonly userName: string;
  readonly user: UserEntry;
  /** 0: no limit. */
  readonly requestTimeoutMs: number;
}

export function loadKubeConfig(target: ClusterTarget): ClusterAccess {
  const { kubeconfig, requestTimeoutMs = DEFAULT_TIMEOUT_MS } = target;
  return { ...choose(kubeconfig === undefined ? readAsKubectl() : readGiven(kubeconfig), target), requestTimeoutMs };
}

function choose(config: KubeConfig, target: ClusterTarget): Omit<ClusterAccess, "requestTimeoutMs"> {
  const { clusters, users, contexts } = config;
  const context = target.context ?? config["current-context"] ?? "";
  const chosen = contexts.find(({ name }) => name === context)?.context;
  if (target.context !== undefined && !chosen) throw notNamed("context", target.context, contexts);
  const clusterName = target.cluster ?? chosen?.cluster;
  const cluster = clusters.find(({ name }) => name === clusterName)?.cluster;
  if (target.cluster !== undefined && !cluster) throw notNamed("cluster", target.cluster, clusters);
  const userName = target.user ?? chosen?.user ?? "";
  const user = users.find(({ name }) => name === userName)?.user;
  if (target.user !== undefined && !user) throw notNamed("user", target.user, users);
  if (!cluster)
    throw new Error(
      `the kubeconfig names no cluster to use; set a context: ${contexts.map(({ name }) => name).join(", ") || "it has none"}`,
    );
  return { context, cluster, userName, user: user ?? {} };
}

function notNamed(what: string, wanted: string, entries: readonly { name: string }[]): Error {
  return new Error(
    `the kubeconfig has no ${what} "${wanted}", only ${entries.map(({ name }) => name).join(", ") || "none"}`,
  );
}

function readGiven(kubeconfig: string): KubeConfig {
  if (isKubeconfigText(kubeconfig)) return parseConfig(kubeconfig, "what was given", process.cwd());
  return readFiles([kubeconfigFile(kubeconfig)]);
}

/** A kubeconfig itself, in YAML or in JSON, and no path. */
export function isKubeconfigText(given: string): boolean {
  return given.includes("\n") || given.trimStart().startsWith("{");
}

/** The file that is meant. What looks like no path may be a token, so the error does not show it. */
export function kubeconfigFile(given: string): string {
  const file = given.replace(/^~(?=$|\/)/, process.env.HOME || os.homedir());
  if (fs.existsSync(file)) return file;
  const isPath = given.length < 300 && /^([~./]|[A-Za-z]:\\|[\w-]{1,30}([/.][\w-]{1,30}){0,5}$)/.test(given);
  throw new Error(
    isPath
      ? `there is no kubeconfig ${given}`
      : "what was given is neither a kubeconfig nor the path of one (not shown)",
  );
}

/** As kubectl: KUBECONFIG, else ~/.kube/config, else the service account of the pod that this runs in. */
function readAsKubectl(): KubeConfig {
  const listed = (process.env.KUBECONFIG ?? "").split(path.delimiter).filter((file) => file !== "");
  if (listed.length > 0) return readFiles(listed);
  const home = path.join(process.env.HOME || os.homedir(), ".kube", "config");
  if (fs.existsSync(home)) return readFiles([home]);
  if (fs.existsSync(path.join(SERVICE_ACCOUNT, "token"))) return inCluster(process.env);
  throw new Error(`there is no kubeconfig: KUBECONFIG is not set and ${home} does not exist`);
}

const SERVICE_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount";

function inCluster({ KUBERNETES_SERVICE_HOST: host = "", KUBERNETES_SERVICE_PORT: port = "443" }: NodeJS.ProcessEnv) {
  const name = "inCluster";
  const server = `https://${host.includes(":") ? `[${host}]` : host}:${port}`;
  return kubeConfigShape.parse({
    clusters: [{ name, cluster: { server, "certificate-authority": path.join(SERVICE_ACCOUNT, "ca.crt") } }],
    users: [{ name, user: { tokenFile: path.join(SERVICE_ACCOUNT, "token") } }],
    contexts: [{ name, context: { cluster: name, user: name } }],
    "current-context": name,
  });
}

/** Every file of the list that exists; of two entries with one name the first counts, as with kubectl. */
function readFiles(files: readonly string[]): KubeConfig {
  const present = files.filter((file) => fs.existsSync(file));
  if (present.length === 0) throw new Error(`there is no kubeconfig ${files.join(", ")}`);
  return present
    .map((file) => parseConfig(fs.readFileSync(file, "utf8"), file, path.dirname(path.resolve(file))))
    .reduce((first, next) => ({
      clusters: joined(first.clusters, next.clusters),
      users: joined(first.users, next.users),
      contexts: joined(first.contexts, next.contexts),
      "current-context": first["current-context"] || next["current-context"],
    }));
}

function joined<T extends { name: string }>(first: readonly T[], more: readonly T[]): T[] {
  const known = new Set(first.map(({ name }) => name));
  return [...first, ...more.filter(({ name }) => !known.has(name))];
}

/** Errors name the place only: a token or a key may stand anywhere in the text. */
function parseConfig(content: string, file: string, folder: string): KubeConfig {
  let value: unknown;
  try {
    value = parse(content, { logLevel: "error" }) ?? {};
  } catch (error) {
    throw new Error(`${file} is no kubeconfig: ${yamlMistake(error)}`);
  }
  const read = kubeConfigShape.safeParse(value);
  if (!read.success) {
    const { path: place, message } = read.error.issues[0]!;
    throw new Error(`${file} is no kubeconfig: ${place.join(".") || "it"}: ${message}`);
  }
  for (const { cluster } of read.data.clusters) absolute(cluster, folder, "certificate-authority");
  for (const { user } of read.data.users) {
    absolute(user, folder, "client-certificate", "client-key", "tokenFile");
    // A name alone is looked for on PATH; a path is seen from the file.
    if (user.exec?.command.includes("/")) absolute(user.exec, folder, "command");
  }
  return read.data;
}

function absolute<Key extends string>(entry: Partial<Record<Key, string | null>>, folder: string, ...keys: Key[]) {
  for (const key of keys) {
    const file = entry[key];
    if (file) entry[key] = path.resolve(folder, file);
  }
}
