import type { ProblemList } from "../problems";

const EVERYONE = ["system:authenticated", "system:unauthenticated", "system:serviceaccounts", "system:anonymous", "*"];

/** Groups and users as the API server names them, in a stable order; whoever means every caller is refused. */
export function peopleOf(
  given: {
    readonly groups?: string[] | undefined;
    readonly users?: string[] | undefined;
    readonly serviceAccounts?: string[] | undefined;
  },
  key: string,
  lets: string,
  problems: ProblemList,
): { groups: string[]; users: string[] } {
  const groups = [...(given.groups ?? [])].sort();
  const users = [
    ...(given.users ?? []),
    ...(given.serviceAccounts ?? []).map((account) => `system:serviceaccount:${account}`),
  ].sort();
  for (const [part, names] of Object.entries({ groups, users })) {
    for (const everyone of names.filter((name) => EVERYONE.includes(name))) {
      problems.add(
        `${key}.${part}`,
        everyone,
        "people or machines of yours",
        `remove "${everyone}": it lets every caller ${lets}`,
      );
    }
  }
  return { groups, users };
}
