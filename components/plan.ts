import { isDeepStrictEqual } from "node:util";
import * as pulumi from "@pulumi/pulumi";
import type { ImageSigningGuardArgs } from "./args";
import { type Compiled, compilePosture } from "./compile";
import { type Path, placeholder } from "./late";
import { type LateValue, lateValues, withLateValues, withoutOutputs } from "./outputs";
import { postureByName } from "./posture/byName";
import type { Posture, Resolved } from "./posture/types";
import { GuardInputError, ProblemList } from "./problems";
import { resolvePosture } from "./resolve";
import { formatKey } from "./schema";

interface Shape {
  readonly resolved: Resolved;
  readonly compiled: Compiled;
  readonly warnings: readonly string[];
}

export interface Plan {
  /** What is known now; where an argument is an Output, a marker stands in its place. */
  readonly shape: Shape;
  /** With maps by name. Secret by part: a secret chart value does not hide who may sign. */
  readonly posture: { readonly [Part in keyof Posture]: pulumi.Input<unknown> };
  /** A part of the compiled result, later if an argument is an Output, and secret if it comes from a secret one. */
  readonly field: <T>(pick: (compiled: Compiled, posture: Posture) => T) => pulumi.Input<T>;
}

/** Decides which resources exist. Runs before `super` so that the component's own inputs can be the posture. */
export function planGuard(args: ImageSigningGuardArgs): Plan | { error: unknown } {
  try {
    const problems = new ProblemList();
    const plain = withoutOutputs(args, problems);
    problems.throwIfAny();
    const shape = shapeOf(plain);
    // A kubeconfig has no part in the posture.
    const { readiness, ...judged } = args;
    const late = lateValues(judged);
    const part = late.length === 0 ? () => undefined : laterPart(judged, late);
    const byName = postureByName(shape.resolved.posture);
    const parts = Object.keys(byName) as (keyof Posture)[];
    const field: Plan["field"] = (pick) =>
      part(({ compiled, resolved }) => pick(compiled, resolved.posture), "text") ??
      pick(shape.compiled, shape.resolved.posture);
    return {
      shape,
      posture: Object.fromEntries(
        parts.map((key) => [
          key,
          part(({ resolved }) => postureByName(resolved.posture)[key], "fingerprint") ?? byName[key],
        ]),
      ) as unknown as Plan["posture"],
      field,
    };
  } catch (error) {
    return { error };
  }
}

/** Stands in the posture as a fingerprint, which a preview may show. */
const PEM = /(publicKey|certificate|chain|fulcioCertificates|ctLogPublicKey|registryCa)$/i;

/**
 * Reads parts of what is known later. A part is secret if and only if it would differ without the secrets: Pulumi itself
 * would make a secret of everything that an argument's block has any part in.
 */
function laterPart(args: object, late: readonly LateValue[]) {
  // Waited for without being secret, as one secret would make all of it secret.
  const values = late.map(({ value }) => pulumi.unsecret(pulumi.output(value)));
  const secret = Promise.all(late.map(({ value }) => pulumi.isSecret(pulumi.output(value))));
  const later = pulumi.all([pulumi.all(values), secret]).apply(([known, isSecret]) => {
    const hidden = late.filter((_, index) => isSecret[index]).map(({ path }) => path);
    const shapeWithout = (isHidden: (path: Path) => boolean) =>
      shapeOf(
        withLateValues(args, (path) => {
          const index = late.findIndex((one) => formatKey(one.path) === formatKey(path));
          return isSecret[index] && isHidden(path) ? placeholder(path) : known[index];
        }),
      );
    const real = withoutSecrets(hidden, () => shapeWithout(() => false));
    if (hidden.length === 0) return { real, text: real, fingerprint: real };
    return {
      real,
      text: shapeWithout(() => true),
      fingerprint: shapeWithout((path) => !PEM.test(formatKey(path))),
    };
  });
  return <T>(pick: (shape: Shape) => T, without: "text" | "fingerprint"): pulumi.Input<T> =>
    later.apply((shapes) => {
      const value = pick(shapes.real);
      return isDeepStrictEqual(
        value,
        ifThere(() => pick(shapes[without])),
      )
        ? value
        : pulumi.secret(value);
    }) as pulumi.Output<T>;
}

/** A part may be there by a secret only. */
function ifThere<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

/**
 * A `RunError` is what Pulumi prints without a stack trace where there is no resource to attach it to. What is wrong with
 * a secret is told without it.
 */
function withoutSecrets(hidden: readonly Path[], make: () => Shape): Shape {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof GuardInputError)) throw error;
    const problems = error.problems.map((problem) =>
      hidden.some((path) => problem.key.startsWith(formatKey(path)))
        ? { ...problem, found: "a secret that is something else (not shown)" }
        : problem,
    );
    throw new pulumi.RunError(new GuardInputError(problems).message);
  }
}

function shapeOf(args: unknown): Shape {
  const resolved = resolvePosture(args);
  return { resolved, compiled: compilePosture(resolved), warnings: resolved.warnings };
}
