import { guardArgsFromConfig, ImageSigningGuard } from "./components/index";

const guard = new ImageSigningGuard("guard", guardArgsFromConfig());

export const mode = guard.mode;
export const policies = guard.policyNames;
export const namespace = guard.namespace;
export const releaseStatus = guard.releaseStatus;
export const chartVersion = guard.chartVersion;
export const kyvernoVersion = guard.kyvernoVersion;
export const readiness = guard.readiness;
