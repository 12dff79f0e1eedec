/** When registries are asked: where reports can't tell, about everything, or not at all. */
export const CHECK = ["needed", "always", "never"] as const;
export type Check = (typeof CHECK)[number];
