import * as path from "node:path";
import { GuardInputError } from "../../components/problems";
import type { Files } from "./files";
import { readDocument, Timestamp } from "./goYaml";

/** What Pulumi.yaml says about configuration; sdk/go/common/workspace of Pulumi is the model for this file. */
export interface Project {
  readonly file: string;
  readonly name: string;
  /** Where its stacks' files are. */
  readonly stackFolder: string;
  /** How its stacks' files end. */
  readonly extension: string;
  readonly config: readonly ProjectSetting[];
}

export interface ProjectSetting {
  /** As it is written, with its namespace or without. */
  readonly key: string;
  /** The value that every stack without one of its own gets. */
  readonly value?: unknown;
  readonly type?: string;
}

/** In the order in which Pulumi looks for them. */
export const EXTENSIONS = [".json", ".yaml", ".yml"];

/** The project that a folder belongs to: its own file, or the nearest above. */
export function findProject(folder: string, files: Files): Project | undefined {
  for (let at = path.resolve(folder); ; at = path.dirname(at)) {
    for (const extension of EXTENSIONS) {
      const file = path.join(at, `Pulumi${extension}`);
      const text = files.read(file);
      if (text !== undefined) return readProject(readDocument(text, file), file, extension);
    }
    if (path.dirname(at) === at) return undefined;
  }
}

function readProject(document: unknown, file: string, extension: string): Project {
  const wrong = (key: string, found: string, allowed: string, fix: string) =>
    new GuardInputError([{ key: key === "" ? file : `${file}: ${key}`, found, allowed, fix }]);
  if (!isBlock(document)) throw wrong("", "no block", "a Pulumi project", "begin it with name: and runtime:");
  const { name, config, stackConfigDir } = document;
  if (typeof name !== "string" || name === "")
    throw wrong("name", "no name", "the project's name, a text", "add name:");
  // The form of old: config names the folder.
  if (typeof config === "string" && stackConfigDir !== undefined)
    throw wrong("config", "a folder, beside stackConfigDir", "one of both", "keep stackConfigDir");
  const folder = typeof config === "string" ? config : stackConfigDir;
  if (folder !== undefined && folder !== null && typeof folder !== "string")
    throw wrong("stackConfigDir", "no text", "a folder", "write stackConfigDir: stacks");
  const block = typeof config === "string" ? {} : (config ?? {});
  if (!isBlock(block)) throw wrong("config", "no block", "a block of settings", "write key: value below config:");
  return {
    file,
    name,
    // Joined, never resolved: a path from the root is taken below the project's folder, as Pulumi takes it.
    stackFolder: path.join(path.dirname(file), folder ?? ""),
    extension,
    config: Object.entries(block).map(([key, value]) => {
      const setting = settingOf(key, value, name);
      if ("problem" in setting) throw wrong(key, ...setting.problem);
      return setting;
    }),
  };
}

const DECLARATION = ["type", "items", "description", "secret", "default", "value"];

function settingOf(
  key: string,
  written: unknown,
  project: string,
): ProjectSetting | { problem: [found: string, allowed: string, fix: string] } {
  if (["string", "boolean"].includes(typeof written) || Number.isInteger(written) || Array.isArray(written))
    return { key, value: inProject(written) };
  const allowed = "a text, a whole number, true, false, a list, or a block with value: (so says Pulumi)";
  if (!isBlock(written))
    return { problem: [written === null ? "nothing" : `${kindOf(written)} without quotes`, allowed, "quote it"] };
  const other = Object.keys(written).find((name) => !DECLARATION.includes(name));
  if (other !== undefined)
    return {
      problem: [`a block with the key ${other}`, allowed, `write the block below value: {value: {${other}: ...}}`],
    };
  const { default: byDefault, value, type } = written;
  const isOwn = !key.includes(":") || key.startsWith(`${project}:`);
  const has = (one: unknown) => one !== undefined && one !== null;
  if (has(byDefault) && has(value)) return { problem: ["both default and value", "one of them", "remove one"] };
  if (!isOwn && !has(value))
    return { problem: ["no value", "value: for a key of another namespace", "write value: in place of default:"] };
  const given = has(byDefault) ? byDefault : value;
  return {
    key,
    ...(has(given) ? { value: inProject(given) } : {}),
    ...(typeof type === "string" ? { type } : {}),
  };
}

function kindOf(value: unknown): string {
  return value instanceof Timestamp ? "a time" : `the number ${String(value)}`;
}

function inProject(value: unknown): unknown {
  if (value instanceof Timestamp) return value.inProject();
  if (Array.isArray(value)) return value.map(inProject);
  if (!isBlock(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, child]) => [key, inProject(child)]));
}

export function isBlock(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === "object" && !Array.isArray(value) && !(value instanceof Timestamp);
}
