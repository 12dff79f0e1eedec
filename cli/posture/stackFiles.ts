import { chartValueChanges } from "../../components/posture/comparison/chartValues";
import type { Comparison } from "../../components/posture/comparison/result";
import { type Part, parts } from "../../components/posture/comparison/words";
import type { Posture } from "../../components/posture/types";
import { GuardInputError, type Problem } from "../../components/problems";
import { resolveSettings } from "../../components/resolve";
import { UNKNOWN_VALUE } from "../../components/unknownValue";
import type { StackOptions } from "../options";
import { atCommit } from "../settings/files";
import {
  isStackName,
  PulumiOnlyError,
  readStackSettings,
  stackName,
  stackSettingsIfAny,
} from "../settings/stackSettings";

type Settings = Record<string, unknown>;

/** Two stacks of one folder: what the first is, seen from the second. */
export function compareStacks(stack: string, against: string, options: StackOptions, now: Date): Comparison {
  return ask(stack, () => {
    const [theirs, own] = [read(against, options), read(stack, options)];
    return {
      before: postureOf(`stack ${against}`, theirs, now),
      after: postureOf(`stack ${stack}`, own, now),
      notes: chartValueChanges(valuesOf(theirs), valuesOf(own)),
    };
  });
}

/** A stack's files as they are, against the same files at a commit. Needs neither engine nor cluster nor secrets. */
export function compareWithRef(stack: string, ref: string, options: StackOptions, now: Date): Comparison {
  return ask(stack, () => {
    const then = settingsAt(ref, stack, options.cwd);
    const own = read(stack, options);
    return {
      ...(then && Object.keys(then).length > 0
        ? {
            before: postureOf(`stack ${stack} at ${ref}`, withoutEnded(then, now), now),
            notes: chartValueChanges(valuesOf(then), valuesOf(own)),
          }
        : {}),
      after: postureOf(`stack ${stack}`, own, now),
    };
  });
}

const read = (stack: string, options: StackOptions): Settings =>
  readStackSettings(stack, options.cwd, { ...options, without: "anything" });

const valuesOf = ({ kyverno }: Settings): unknown => (kyverno as Settings | undefined)?.values ?? {};

function ask(name: string, sides: () => Pick<Comparison, "before" | "after" | "notes">): Comparison {
  const stack = stackName(name);
  // It becomes a part of file names.
  if (!isStackName(name)) return { stack, lacks: [], failed: [parts`${name} is no stack's name`] };
  try {
    const { before, after, notes } = sides();
    return {
      stack,
      ...(notes ? { notes } : {}),
      ...(before ? { before } : {}),
      ...(after ? { after } : {}),
      lacks: [...encrypted(before), ...encrypted(after)],
      failed: [],
    };
  } catch (error) {
    if (error instanceof NotAsked) return { stack, lacks: [], failed: [error.parts] };
    if (!(error instanceof GuardInputError)) throw error;
    const said = error.problems.map(({ key, found }) => parts`${key}: found ${found}`);
    // What only Pulumi can open is no mistake of the change.
    return error instanceof PulumiOnlyError ? { stack, lacks: said, failed: [] } : { stack, lacks: [], failed: said };
  }
}

class NotAsked extends Error {
  constructor(readonly parts: Part[]) {
    super();
  }
}

function postureOf(where: string, settings: Settings, now: Date): Posture {
  try {
    return resolveSettings(settings, { now }).posture;
  } catch (error) {
    if (!(error instanceof GuardInputError)) throw error;
    throw new GuardInputError(
      error.problems.map((problem: Problem) => ({ ...problem, key: `${where}: ${problem.key}` })),
    );
  }
}

/** A suspension that has ended since is a mistake in today's file, but none in that of a past commit. */
function withoutEnded(settings: Settings, now: Date): Settings {
  const { suspend } = settings;
  if (!Array.isArray(suspend)) return settings;
  return { ...settings, suspend: suspend.filter((one) => !(Date.parse(String(one?.until)) <= now.getTime())) };
}

/** Undefined where the commit has no word for the stack. */
function settingsAt(ref: string, stack: string, cwd: string): Settings | undefined {
  const past = atCommit(ref, cwd);
  if (past === undefined)
    throw new NotAsked(
      parts`there is no commit ${ref} here; in a workflow, fetch it (${"actions/checkout with fetch-depth: 0"})`,
    );
  try {
    return stackSettingsIfAny(stack, past.folder, { files: past.files, without: "anything" });
  } catch (error) {
    if (!(error instanceof GuardInputError)) throw error;
    const there = error.problems.map((problem) => ({ ...problem, key: `at ${ref}: ${problem.key}` }));
    throw error instanceof PulumiOnlyError ? new PulumiOnlyError(there) : new GuardInputError(there);
  }
}

/** Two encrypted values can't be told to be the same. */
function encrypted(value: unknown, where = "posture"): Part[][] {
  if (value === UNKNOWN_VALUE) return [parts`${where} is encrypted: without pulumi it can't be compared`];
  if (value === null || typeof value !== "object") return [];
  return Object.entries(value).flatMap(([key, child]) => encrypted(child, `${where}.${key}`));
}
