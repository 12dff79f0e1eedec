import * as fs from "node:fs";
import * as path from "node:path";
import { distance } from "fastest-levenshtein";
import { mayBeLate, type Path, withoutLate } from "../../components/late";
import { GuardInputError, type Problem } from "../../components/problems";
import { formatKey } from "../../components/schema";
import { CONFIG_NAMESPACE, settingsFromConfig } from "../../components/settings";
import { askPulumi } from "./askPulumi";
import { type Files, onDisk } from "./files";
import { EXTENSIONS, findProject, isBlock, type Project } from "./project";
import { Encrypted, stackConfig } from "./stackConfig";

export interface ReadOptions {
  /** Where the files are. Default: on disk. */
  readonly files?: Files;
  /** Ask `pulumi config`, which decrypts and opens environments, in place of reading files. */
  readonly askPulumi?: boolean;
  /**
   * What the command can do without: `values`, encrypted values that no posture is made of (default); `anything`, each
   * that an Output may stand for, a placeholder then stands in its place.
   */
  readonly without?: "values" | "anything" | "kubeconfig";
  /** Told where the answer may be about a stack that nobody made. Default: on stderr. */
  readonly warn?: (text: string) => void;
}

/** Only Pulumi, with a login or a passphrase, could answer. */
export class PulumiOnlyError extends GuardInputError {}

/** The guard's settings of a stack, read from its file and Pulumi.yaml without an engine. */
export function readStackSettings(stack: string, folder: string, options: ReadOptions = {}): Record<string, unknown> {
  const settings = stackSettingsIfAny(stack, folder, options);
  const files = options.files ?? onDisk;
  if (settings === undefined) throw new GuardInputError([missingFile(stack, folder, files)]);
  const { file, text, project } = filesOf(stack, folder, files);
  // A stack without settings of its own needs no file; a misspelt one has none either.
  if (text === undefined && project && !options.askPulumi) {
    const others = stacksBeside(file, project, files).join(", ") || "no stack";
    const { warn = onStderr } = options;
    warn(
      `there is no ${file}, so this is what ${path.basename(project.file)} says for any stack (a file of its own has: ${others})`,
    );
  }
  return settings;
}

/** Undefined where neither the stack has a file nor the project a word for the guard. */
export function stackSettingsIfAny(
  stack: string,
  folder: string,
  { files = onDisk, askPulumi: ask, without = "values" }: ReadOptions,
): Record<string, unknown> | undefined {
  const { file, text, project } = filesOf(stack, folder, files);
  const { config, environments } = stackConfig(text, file, project);
  const all = ask ? askPulumi(stack, folder) : Object.fromEntries(config);
  if (!ask && text === undefined && !Object.keys(all).some((key) => key.startsWith(`${CONFIG_NAMESPACE}:`)))
    return undefined;
  if (!ask && environments.length > 0) throw new PulumiOnlyError([environmentProblem(environments, file)]);
  return decrypted(settingsFromConfig(all, CONFIG_NAMESPACE, project?.name), without);
}

/** As Pulumi spells them; so a stack's name is no path. */
export function isStackName(stack: string): boolean {
  return /^([\w.-]+\/){0,2}[\w.-]+$/.test(stack) && !stack.split("/").some((part) => /^\.+$/.test(part));
}

/** `prod` of `org/project/prod`: files and comments are named by it. */
export function stackName(stack: string): string {
  return stack.split("/").at(-1) ?? stack;
}

function filesOf(
  stack: string,
  folder: string,
  files: Files,
): { file: string; text: string | undefined; project: Project | undefined } {
  const project = findProject(folder, files);
  checkProject(stack, project);
  const file = path.join(project?.stackFolder ?? folder, `Pulumi.${stackName(stack)}${project?.extension ?? ".yaml"}`);
  return { file, text: files.read(file), project };
}

function checkProject(stack: string, project: Project | undefined): void {
  const parts = stack.split("/");
  const named = parts.length === 3 ? parts[1] : undefined;
  if (!isStackName(stack))
    throw new GuardInputError([
      {
        key: "--stack",
        found: JSON.stringify(stack),
        allowed: "a stack's name, or organisation/project/name",
        fix: "name it as pulumi stack ls does",
      },
    ]);
  if (named === undefined || project === undefined || named === project.name) return;
  throw new GuardInputError([
    {
      key: "--stack",
      found: `a stack of the project ${named}`,
      allowed: `a stack of ${project.name}, the project of ${project.file}`,
      fix: "give that project's folder with --cwd",
    },
  ]);
}

function missingFile(stack: string, folder: string, files: Files): Problem {
  if (files === onDisk && !fs.existsSync(folder))
    return {
      key: "--cwd",
      found: `"${folder}", which does not exist`,
      allowed: "the folder of the project or of the stack files",
      fix: "look at its spelling",
    };
  const { file, project } = filesOf(stack, folder, files);
  const stacks = stacksBeside(file, project, files);
  const other = files
    .list(path.dirname(file))
    .find((name) => EXTENSIONS.some((end) => name === path.parse(file).name + end));
  const near = stacks.find(
    (one) =>
      `Pulumi.${one}` === path.parse(stack).name || distance(one.toLowerCase(), stackName(stack).toLowerCase()) <= 1,
  );
  return {
    key: "--stack",
    found: `"${stack}", but there is no ${file}`,
    allowed: stacks.length > 0 ? `one of ${stacks.join(", ")}` : "a stack with a Pulumi.<stack>.yaml",
    fix: other
      ? `rename ${other} to ${path.basename(file)}: Pulumi reads stacks in the form of the project's own file`
      : near
        ? `did you mean ${near}?`
        : "name a stack of this folder, or give the folder with --cwd",
  };
}

/** The stacks that have a file where this one would be. */
function stacksBeside(file: string, project: Project | undefined, files: Files): string[] {
  const [begin, end] = ["Pulumi.", project?.extension ?? ".yaml"];
  return files
    .list(path.dirname(file))
    .filter((name) => name.startsWith(begin) && name.endsWith(end) && name.length > begin.length + end.length)
    .map((name) => name.slice(begin.length, -end.length));
}

function onStderr(text: string): void {
  process.stderr.write(`warning: ${text}\n`);
}

function environmentProblem(environments: readonly string[], file: string): Problem {
  return {
    key: `${file}: environment`,
    found: `settings that may come from Pulumi ESC (${environments.join(", ")})`,
    allowed: "settings in files, where Pulumi is not asked",
    fix: "add --ask-pulumi, which runs pulumi config with your login",
  };
}

/** What no posture is made of, so that most commands do without it. */
const VALUES = /^(kyverno\.values|monitoring\.policyReporter\.values)\b/;

/** The settings with placeholders for what the command can do without; one error for all that it can't. */
function decrypted(settings: Record<string, unknown>, without: ReadOptions["without"]): Record<string, unknown> {
  const problems: Problem[] = [];
  const refuse = (path: Path) =>
    problems.push({
      key: `${CONFIG_NAMESPACE}:${formatKey(path)}`,
      found: "an encrypted value",
      ...(without === "kubeconfig"
        ? { allowed: "plain values, as they would be written in clear", fix: "keep secrets out of what is rendered" }
        : { allowed: "a plain value, where Pulumi is not asked", fix: "add --ask-pulumi, or store it as plain text" }),
    });
  const isNeeded = (path: Path) => without !== "kubeconfig" && !VALUES.test(formatKey(path));
  const may = (path: Path) =>
    mayBeLate(path) && (without === "anything" || (without === "values" && VALUES.test(formatKey(path))));
  const revealed = reveal(withoutKubeconfig(settings), isNeeded);
  const plain = withoutLate(revealed, (value) => value instanceof Encrypted, refuse, may);
  if (problems.length > 0) throw new PulumiOnlyError(problems);
  return plain as Record<string, unknown>;
}

/** What Pulumi was asked for and what the command needs. */
function reveal(value: unknown, isNeeded: (path: Path) => boolean, path: Path = []): unknown {
  if (value instanceof Encrypted) return value.plain !== undefined && isNeeded(path) ? value.plain : value;
  if (value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) return value.map((item, index) => reveal(item, isNeeded, [...path, index]));
  return Object.fromEntries(
    Object.entries(value).map(([name, child]) => [name, reveal(child, isNeeded, [...path, name])]),
  );
}

/** No command reads the cluster by it: it is for `up`. */
function withoutKubeconfig({ readiness, ...settings }: Record<string, unknown>): Record<string, unknown> {
  if (readiness === undefined) return settings;
  if (readiness instanceof Encrypted || !isBlock(readiness))
    return readiness instanceof Encrypted ? settings : { ...settings, readiness };
  const kept = Object.entries(readiness).filter(([, value]) => !holdsEncrypted(value));
  return { ...settings, readiness: Object.fromEntries(kept) };
}

function holdsEncrypted(value: unknown): boolean {
  if (value instanceof Encrypted) return true;
  return value !== null && typeof value === "object" && Object.values(value).some(holdsEncrypted);
}
