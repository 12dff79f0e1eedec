import { apiLocation, parseReference } from "../images/reference";
import { RegistryClient } from "../images/registry";
import { RegistryError } from "../images/registryError";
import type { RegistryFacts, StackFacts } from "./facts";

/** Each place that the stack's images come from, asked at once; a wildcard's registry can only be asked as a whole. */
export async function registryFacts(stack: StackFacts | undefined): Promise<RegistryFacts[]> {
  const patterns = (stack?.resolved.posture.images ?? []).flatMap(({ repositories, signatureRepository }) => [
    ...repositories,
    ...(signatureRepository ? [signatureRepository] : []),
  ]);
  const places = new Map<string, { host: string; repository?: string }>();
  for (const pattern of patterns) {
    const isName = !/[*?]/.test(pattern);
    const { registry, path } = isName
      ? parseReference(pattern)
      : { registry: pattern.split("/")[0]!, path: pattern.split("/").slice(1).join("/") };
    if (/[*?]/.test(registry)) continue;
    const { host, repository } = apiLocation(registry, path);
    const place = isName ? { host, repository } : { host };
    places.set(JSON.stringify(place), place);
  }
  return Promise.all([...places.values()].map(askRegistry));
}

async function askRegistry(place: { host: string; repository?: string }): Promise<RegistryFacts> {
  const client = new RegistryClient(place.host);
  try {
    await client.access(place.repository);
    return place;
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error;
    return { ...place, trouble: error.trouble, message: error.message };
  } finally {
    await client.close();
  }
}
