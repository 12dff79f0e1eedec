import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import type { Posture } from "../../components/posture/types";
import { GuardInputError, type Problem } from "../../components/problems";
import { resolvePosture } from "../../components/resolve";
import { argsFromSettings } from "../../components/settings";
import { readStackSettings } from "../settings/stackSettings";
import { type Part, parts, type Question } from "./result";

/** Two stacks of one folder: what the first is, seen from the second. */
export function compareStacks(stack: string, against: string, cwd: string, now: Date): Question {
  return ask(stack, () => ({
    before: postureOf(`Pulumi.${against}.yaml`, readStackSettings(against, cwd), now),
    after: postureOf(`Pulumi.${stack}.yaml`, readStackSettings(stack, cwd), now),
  }));
}

/** A stack's file as it is, against the same file at a commit. Needs neither engine nor cluster nor secrets. */
export function compareWithRef(stack: string, ref: string, cwd: string, now: Date): Question {
  return ask(stack, () => {
    const file = `Pulumi.${stack}.yaml`;
    const text = fileAt(ref, file, cwd);
    const before = text === undefined ? undefined : postureOf(`${file} at ${ref}`, settingsIn(text, stack), now, true);
    return { ...(before ? { before } : {}), after: postureOf(file, readStackSettings(stack, cwd), now) };
  });
}

function ask(stack: string, sides: () => Pick<Question, "before" | "after">): Question {
  // It becomes a part of file names.
  if (!/^[\w.-]+$/.test(stack)) return { stack, lacks: [], failed: [parts`${stack} is no stack's name`] };
  try {
    return { stack, lacks: [], failed: [], ...sides() };
  } catch (error) {
    if (error instanceof GuardInputError)
      return { stack, lacks: [], failed: error.problems.map(({ key, found }) => parts`${key}: found ${found}`) };
    if (error instanceof NotAsked) return { stack, lacks: [], failed: [error.parts] };
    throw error;
  }
}

class NotAsked extends Error {
  constructor(readonly parts: Part[]) {
    super();
  }
}

function postureOf(where: string, settings: Record<string, unknown>, now: Date, isPast = false): Posture {
  try {
    return resolvePosture(argsFromSettings(isPast ? withoutEnded(settings, now) : settings), { now }).posture;
  } catch (error) {
    if (!(error instanceof GuardInputError)) throw error;
    throw new GuardInputError(
      error.problems.map((problem: Problem) => ({ ...problem, key: `${where}: ${problem.key}` })),
    );
  }
}

/** A suspension that has ended since is a mistake in today's file, but none in that of a past commit. */
function withoutEnded(settings: Record<string, unknown>, now: Date): Record<string, unknown> {
  const { suspend } = settings;
  if (!Array.isArray(suspend)) return settings;
  return { ...settings, suspend: suspend.filter((one) => !(Date.parse(String(one?.until)) <= now.getTime())) };
}

/** Undefined where the commit does not have the file. */
function fileAt(ref: string, file: string, cwd: string): string | undefined {
  const git = (...args: string[]) =>
    execFileSync("git", args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"], maxBuffer: 64 << 20 });
  let commit: string;
  try {
    // A ref that looks like a flag stays a ref.
    commit = git("rev-parse", "--verify", "--quiet", "--end-of-options", `${ref}^{commit}`).trim();
  } catch {
    throw new NotAsked(
      parts`there is no commit ${ref} here; in a workflow, fetch it (${"actions/checkout with fetch-depth: 0"})`,
    );
  }
  const listed = git("ls-tree", "--name-only", commit, "--", `./${file}`).trim();
  return listed === "" ? undefined : git("show", `${commit}:./${file}`);
}

function settingsIn(text: string, stack: string): Record<string, unknown> {
  const folder = mkdtempSync(path.join(os.tmpdir(), "guard-posture-"));
  try {
    writeFileSync(path.join(folder, `Pulumi.${stack}.yaml`), text);
    return readStackSettings(stack, folder);
  } catch (error) {
    if (!(error instanceof GuardInputError)) throw error;
    throw new GuardInputError(
      error.problems.map((problem) => ({ ...problem, key: problem.key.replace(folder, "at the commit") })),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}
