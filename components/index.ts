export * from "./args";
export { guardArgsFromConfig } from "./config";
export { ImageSigningGuard } from "./imageSigningGuard";
export { CONFIG_NAMESPACE, GUARD_TYPE } from "./settings";
