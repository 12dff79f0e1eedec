import type { RegistryTrouble } from "../../images/registryError";
import { type Facts, look, type RegistryFacts } from "../facts";
import { type Finding, finding, ok } from "../finding";

export function registryChecks(facts: Facts): Finding[] {
  return [...facts.registries.map((registry) => access(facts, registry)), ...secrets(facts)];
}

const WORDS: Record<RegistryTrouble, string> = {
  unreachable: "can't be reached",
  timeout: "does not answer in time",
  certificate: "shows a certificate that does not do",
  unauthorized: "wants a login (401)",
  forbidden: "does not let this login read (403)",
  notFound: "has no such repository (404)",
  rateLimited: "limits requests (429)",
  serverError: "is in trouble itself",
  malformed: "answers what is no registry's answer",
  tooLarge: "answers too much",
};

/** Seen from here, with the login of this machine: Kyverno may fare better or worse. */
function access(facts: Facts, { host, repository, trouble, message }: RegistryFacts): Finding {
  const id = "registries.access";
  const what = repository ? `${host}/${repository}` : host;
  if (!trouble) return ok(id, `${what} answers this machine`);
  const evidence = `${what} ${WORDS[trouble]}, asked from this machine${message ? `: ${message}` : ""}`;
  const { kubectl } = facts.commands;
  const isLogin = trouble === "unauthorized" || trouble === "forbidden";
  const fix = isLogin
    ? `docker login ${host}`
    : `${kubectl} -n ${facts.namespace} logs deployment/${facts.release}-admission-controller --since=1h | grep ${host}`;
  // A login that lacks here is none of Kyverno's trouble where it has one of its own.
  return finding(isLogin || trouble === "rateLimited" ? "note" : "warning", id, evidence, fix);
}

function secrets(facts: Facts): Finding[] {
  const wanted = facts.stack?.resolved.posture.kyverno.registrySecrets ?? [];
  if (wanted.length === 0) return [];
  return look("registries.secrets", facts.pullSecrets, (found) => {
    const missing = wanted.filter((name) => !found.includes(name));
    if (missing.length === 0) return ok("registries.secrets", `${wanted.join(", ")} are there`);
    return missing.map((name) =>
      finding(
        "problem",
        "registries.secrets",
        `Kyverno is told to log in with ${name}, which is not in namespace ${facts.namespace}; it goes on without`,
        `${facts.commands.kubectl} -n ${facts.namespace} create secret docker-registry ${name} --docker-server=REGISTRY --docker-username=USER --docker-password=TOKEN`,
      ),
    );
  });
}
