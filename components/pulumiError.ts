import * as pulumi from "@pulumi/pulumi";
import type { Problem } from "./problems";

/** Of an output that fails the SDK tells where it was wanted, before what is wrong; a user knows no such place. */
export class NotReadyError extends pulumi.ResourceError {
  constructor(text: string, resource: pulumi.Resource) {
    super(text, resource, true);
    Object.defineProperty(this, "message", { get: () => text, set: () => {} });
  }
}

/**
 * Prints as one clean message in every way that the component can run. In a program Pulumi shows a `ResourceError`
 * without its stack; in a provider it looks for the marker below, whose name is Pulumi's own, and shows the list.
 */
export class GuardResourceError extends pulumi.ResourceError {
  readonly __pulumiInputPropertiesError = true;
  readonly errors: { propertyPath: string; reason: string }[];

  constructor(message: string, problems: readonly Problem[], resource: pulumi.Resource) {
    super(message, resource, true);
    this.errors = problems.map((problem) => ({
      propertyPath: problem.key,
      reason: `found ${problem.found}; allowed: ${problem.allowed}; ${problem.fix}`,
    }));
  }
}
