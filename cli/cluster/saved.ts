import * as fs from "node:fs";
import { ClusterError } from "../../components/kubernetes/errors";
import { type KubeObject, resourceText } from "../../components/kubernetes/resources";
import { withoutNulls } from "../../components/kubernetes/withoutNulls";
import { fileReason, jsonMistake } from "../../components/mistakes";
import { GuardInputError } from "../../components/problems";
import type { ObjectSource } from "./source";

const HOW = "kubectl get pods,deployments,... -A -o json";

/** Objects that somebody saved with `kubectl get ... -o json`: files, or `-` for what is piped in. */
export function savedSource(files: readonly string[]): ObjectSource {
  const byKind = new Map<string, KubeObject[]>();
  for (const file of files) {
    for (const object of withoutNulls(objectsOf(readSaved(file), file))) {
      const kind = `${object.kind}.${groupOf(object)}`;
      const known = byKind.get(kind);
      if (known) known.push(object);
      else byKind.set(kind, [object]);
    }
  }
  return {
    name: files.map((file) => (file === "-" ? "standard input" : file)).join(", "),
    pages: async function* (resource, namespace) {
      const objects = byKind.get(`${resource.kind}.${resource.group}`);
      if (!objects) throw new ClusterError("absent", `there is no ${resourceText(resource)} in what was given`);
      yield namespace === undefined
        ? objects
        : objects.filter(({ metadata }) => (metadata?.namespace ?? "default") === namespace);
    },
  };
}

/** A saved JSON document; one clear error when it is none. */
export function readSaved(file: string, option = "--from", how = HOW): unknown {
  let text: string;
  try {
    text = fs.readFileSync(file === "-" ? 0 : file, "utf8");
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const found = `"${file}", ${code === "ENOENT" ? "which does not exist" : `which can't be read: ${fileReason(message)}`}`;
    throw problem(option, found, "a JSON file, or - for standard input", `save one: ${how}`);
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    const found = text.trim() === "" ? `${file}, which is empty` : `${file}, which is ${jsonMistake(error, text)}`;
    throw problem(option, found, "one whole JSON document", `save it again (was the disk full, the command stopped?)`);
  }
}

function objectsOf(document: unknown, file: string): KubeObject[] {
  const objects = Array.isArray(document) ? document : isList(document) ? itemsOf(document) : [document];
  const wrong = objects.find((object) => typeof (object as KubeObject | null)?.kind !== "string");
  if (wrong !== undefined) {
    const found = `${file}, in which something is no Kubernetes object: ${JSON.stringify(wrong).slice(0, 80)}`;
    throw problem("--from", found, "a list of Kubernetes objects", `save one: ${HOW}`);
  }
  return (objects as KubeObject[]).flatMap((object) => (isList(object) ? objectsOf(object, file) : [object]));
}

interface List {
  readonly kind: string;
  readonly apiVersion?: string;
  /** Go writes an empty list as null. */
  readonly items: readonly unknown[] | null;
}

/** The API server itself (`kubectl get --raw`) writes the kind once, on the list. */
function itemsOf({ kind, apiVersion, items }: List): unknown[] {
  if (kind === "List") return [...(items ?? [])];
  return (items ?? []).map((item) => ({ kind: kind.replace(/List$/, ""), apiVersion, ...(item as object) }));
}

function isList(document: unknown): document is List {
  const { kind, items } = (document ?? {}) as { kind?: unknown; items?: unknown };
  return typeof kind === "string" && kind.endsWith("List") && (items === null || Array.isArray(items));
}

function groupOf({ apiVersion = "" }: KubeObject): string {
  return apiVersion.includes("/") ? apiVersion.split("/")[0]! : "";
}

export function problem(key: string, found: string, allowed: string, fix: string): GuardInputError {
  return new GuardInputError([{ key, found, allowed, fix }]);
}
