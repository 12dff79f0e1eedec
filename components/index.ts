export * from "./args";
export { guardArgsFromConfig } from "./config";
export { GUARD_TYPE, ImageSigningGuard } from "./imageSigningGuard";
export { CONFIG_NAMESPACE } from "./settings";
