import { AsyncResource } from "node:async_hooks";
import * as pulumi from "@pulumi/pulumi";
import { isMocked } from "./mocked";
import { GUARD_TYPE } from "./settings";

let made = 0;

/** A hook of one guard. In a stack each has a name of its own; guards under different parents may share theirs. */
export function newHook(
  guard: string,
  callback: pulumi.ResourceHookFunction,
  options: pulumi.ResourceHookOptions = {},
): pulumi.ResourceHook {
  made++;
  // The engine calls from elsewhere; of which program it is, the SDK knows by the context.
  return new pulumi.ResourceHook(`${GUARD_TYPE}:${guard}:${made}`, AsyncResource.bind(callback), options);
}

/** Options of a resource that is only created if this does not throw. */
export function beforeCreate(
  guard: string,
  callback: () => Promise<void>,
): Pick<pulumi.CustomResourceOptions, "hooks"> {
  // The mocks claim to know hooks, but do not.
  return isMocked() ? {} : { hooks: { beforeCreate: [newHook(guard, callback)] } };
}
