export * from "./args";
export { CONFIG_NAMESPACE, guardArgsFromConfig } from "./config";
export { GUARD_TYPE, ImageSigningGuard } from "./imageSigningGuard";
