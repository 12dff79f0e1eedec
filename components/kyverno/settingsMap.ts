/** What Kyverno's own ConfigMap keeps from every policy, as it is written there. */
export type SettingsMap = Readonly<Record<string, string>>;

/** Keys with callers to whom no policy is applied. */
export const EXCLUSIONS = ["excludeGroups", "excludeUsernames", "excludeRoles", "excludeClusterRoles"] as const;

export interface Exclusion {
  readonly key: (typeof EXCLUSIONS)[number];
  readonly name: string;
}

/** Who is excluded. An entry that begins with "!" takes away from Kyverno's own list. */
export function exclusionsOf(data: SettingsMap): Exclusion[] {
  return EXCLUSIONS.flatMap((key) =>
    (data[key] ?? "")
      .split(",")
      .map((name) => name.trim())
      .filter((name) => name !== "" && !name.startsWith("!"))
      .map((name) => ({ key, name })),
  );
}

/** Each filter of `[kind,namespace,name]`, without spaces. */
export function filtersOf(text: string): string[] {
  return (text.match(/\[[^\]]*\]/g) ?? []).map((filter) => filter.replace(/\s/g, ""));
}
