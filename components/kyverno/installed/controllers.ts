import type { Controller, Installation } from "./types";

export function controllerOf({ controllers }: Installation, component: string): Controller | undefined {
  return controllers.find((one) => one.component === component);
}

/** The two that read registries. */
export function readers(installation: Installation): Controller[] {
  return ["admission-controller", "reports-controller"].flatMap(
    (component) => controllerOf(installation, component) ?? [],
  );
}
