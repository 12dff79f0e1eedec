import * as pulumi from "@pulumi/pulumi";

/** Whether a program runs under `pulumi.runtime.setMocks`. By name, as the SDK may be there twice. */
export function isMocked(): boolean {
  return pulumi.runtime.getMonitor()?.constructor.name === "MockMonitor";
}
