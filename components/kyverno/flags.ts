/** Switches by which a controller of Kyverno's refuses less, and the value that does so. */
export const WEAKENING_FLAGS: readonly { readonly flag: string; readonly bad: string; readonly why: string }[] = [
  { flag: "forceFailurePolicyIgnore", bad: "true", why: "everything is admitted while Kyverno is down" },
  { flag: "autoUpdateWebhooks", bad: "false", why: "webhooks do not follow the policies" },
  { flag: "allowInsecureRegistry", bad: "true", why: "registries are believed without a valid certificate" },
];

/** The value of a flag; a bare one means true. */
export function flagValue(args: readonly string[], flag: string): string | undefined {
  const given = args.filter((arg) => new RegExp(`^--?${flag}(=|$)`).test(arg)).at(-1);
  if (given === undefined) return undefined;
  return given.includes("=") ? given.slice(given.indexOf("=") + 1) : "true";
}
