/** A Kubernetes manifest; what the component, `render` and the tests pass around. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Record<string, string>;
    readonly annotations?: Record<string, string>;
  };
  readonly [field: string]: unknown;
}

/** A plain object with any fields, as YAML gives it. */
export type Json = Record<string, unknown>;

export const MANAGED_BY = { "app.kubernetes.io/managed-by": "image-signing-guard" } as const;

/** Whether this guard, or another one, made an object. */
export function isManaged({ metadata }: { readonly metadata?: { readonly labels?: Record<string, string> } }): boolean {
  return Object.entries(MANAGED_BY).every(([label, value]) => metadata?.labels?.[label] === value);
}
