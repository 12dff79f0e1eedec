import { admitted, attacks, refused } from "./cases";
import {
  apps,
  create,
  enforce,
  hubRepositories,
  image,
  moduloRepositories,
  production,
  repository,
  sign,
} from "./cluster";
import { container, deployment, pod } from "./objects";

const malformed =
  /invalid reference format|invalid checksum digest format|must be lowercase|must not be more than 255|too long|must not have leading or trailing whitespace/;
const disguised = /is another spelling of an image that must be signed/;
const unsigned = /no matching signatures|no signatures found/;
const noSigner = /no signer is configured/;
const path = `${repository}:unsigned`;

attacks("names", (get) => {
  let count = 0;
  const run = (reference: string, namespace = apps) =>
    create(get().developer, namespace, pod(`name-${++count}`, reference), "?dryRun=All");

  refused("unsigned by tag", unsigned, () => run(`${image}:unsigned`));
  refused("unsigned by tag in production", unsigned, () => run(`${image}:unsigned`, production));
  refused("unsigned by digest", unsigned, () => run(`${image}@${get().digests.unsigned}`));
  refused("signed tag with another image's digest", unsigned, () => run(`${image}:1.0@${get().digests.unsigned}`));
  refused("tag that moved to an unsigned image after signing", unsigned, () => run(`${image}:moved`));
  refused("no tag at all", /modulo-frontend(?::latest|[/]manifests[/]latest)/, () => run(image));
  refused("tag that does not exist", /MANIFEST_UNKNOWN|NAME_UNKNOWN|not found/i, () => run(`${image}:nowhere`));
  refused("digest that does not exist", /no signatures found|MANIFEST_UNKNOWN|not found|no matching/i, () =>
    run(`${image}@sha256:${"1".repeat(64)}`),
  );
  refused("digest of another algorithm", /failed to verify image/, () => run(`${image}@sha512:${"a".repeat(128)}`));

  for (const host of ["GHCR.IO", "Ghcr.io", "ghcr.io:443", "ghcr.io:80", "ghcr.io:0443", "GHCR.io:443"]) {
    refused(`registry written ${host}`, disguised, () => run(`${host}/${path}`));
    refused(`registry written ${host}, in production`, noSigner, () => run(`${host}/${path}`, production));
  }
  refused("upper-case registry in a Deployment", disguised, () =>
    create(get().developer, apps, deployment("upper", `GHCR.IO/${path}`)),
  );
  for (const id of ["sha256:", ""]) {
    refused(`image id ${id}HEX of the node's store`, disguised, () =>
      run(`${id}${get().digests.unsigned.slice("sha256:".length)}`),
    );
  }

  const broken: Record<string, string> = {
    "trailing dot": `ghcr.io./${path}`,
    "trailing dot and port": `ghcr.io.:443/${path}`,
    "Cyrillic letter in the registry": `ghcr.\u0456o/${path}`,
    "Cyrillic letter in the repository": `ghcr.io/\u0456key168/modulo-frontend:unsigned`,
    "full-width letters": `\uff47\uff48\uff43\uff52.io/${path}`,
    "zero-width space": "ghcr.io/ikey168/modulo-\u200bfrontend:unsigned",
    "empty tag": `${image}:`,
    "empty digest": `${image}@`,
    "short digest": `${image}@sha256:abc`,
    "upper-case digest algorithm": `${image}@SHA256:${"a".repeat(64)}`,
    "upper-case repository": "ghcr.io/Ikey168/modulo-frontend:unsigned",
    "two slashes": `ghcr.io//${path}`,
    "dot segments": "ghcr.io/ikey168/x/../modulo-frontend:unsigned",
    "percent code": "ghcr.io/ikey168/%6dodulo-frontend:unsigned",
    "URL with https://": `https://ghcr.io/${path}`,
    "transport docker://": `docker://ghcr.io/${path}`,
    "user information": `user@ghcr.io/${path}`,
    "leading blank": ` ghcr.io/${path}`,
    "trailing line break": `ghcr.io/${path}\n`,
    "repository of 300 characters": `ghcr.io/ikey168/modulo-${"a".repeat(300)}:1`,
    "tag of 200 characters": `${image}:${"a".repeat(200)}`,
    "a Kyverno variable": "{{request.userInfo.username}}",
  };
  for (const [name, reference] of Object.entries(broken)) refused(`name with ${name}`, malformed, () => run(reference));
  refused("empty name", /Required value/, () => run(""));
  refused("image by an IP address, in production", noSigner, () => run(`140.82.121.34/${path}`, production));
  refused("image that no signer covers, in production", noSigner, () => run("quay.io/other/app:1", production));
  refused("image that no signer covers beside a signed one, in production", noSigner, () =>
    create(
      get().developer,
      production,
      pod("beside", `${image}:1.0`, {}, { initContainers: [container("quay.io/other/app:1", "init")] }),
    ),
  );
  admitted("image that no signer covers, outside production", () => run("quay.io/other/app:1"));
  for (const tail of [":1.0", (digest: string) => `@${digest}`, (digest: string) => `:1.0@${digest}`]) {
    const name = typeof tail === "string" ? "tag" : tail("DIGEST");
    const reference = () => `${image}${typeof tail === "string" ? tail : tail(get().digests.signed)}`;
    admitted(`signed by ${name}`, () => run(reference()));
    admitted(`signed by ${name}, in production`, () => run(reference(), production));
  }
});

attacks("names on Docker Hub", (get) => {
  const hubSigned = "docker.io/library/modulo";
  before(async function () {
    this.timeout(120_000);
    const { registry } = get().plane;
    for (const name of ["library/modulo", "acme/app"]) {
      await registry.pushImage(name, "unsigned");
      const digest = await registry.pushImage(name, "1.0");
      await sign(get(), `docker.io/${name}@${digest}`);
    }
    await enforce(get(), hubRepositories);
  });
  after(async function () {
    this.timeout(90_000);
    await enforce(get(), moduloRepositories);
  });

  let count = 0;
  const run = (reference: string) => create(get().developer, apps, pod(`hub-${++count}`, reference), "?dryRun=All");
  // Docker Hub's own images have two spellings, and an entry in either is for both.
  for (const reference of ["modulo", "docker.io/modulo", "library/modulo", hubSigned, "docker.io/acme/app", "acme/app"])
    refused(`unsigned ${reference}`, unsigned, () => run(`${reference}:unsigned`));
  for (const reference of [
    "library/modulo-x/../modulo:unsigned",
    "index.docker.io/library/modulo:unsigned",
    "index.docker.io/modulo:unsigned",
    "index.docker.io/acme/app:unsigned",
    "registry-1.docker.io/library/modulo:unsigned",
    "registry-1.docker.io/acme/app:unsigned",
    "registry-1.docker.io:443/acme/app:unsigned",
    "registry.hub.docker.com/library/modulo:unsigned",
    "docker.io:443/acme/app:unsigned",
    "DOCKER.IO/acme/app:unsigned",
    "Index.Docker.io/acme/app:unsigned",
  ]) {
    refused(`Docker Hub written ${reference}`, /is another spelling|invalid reference format/, () => run(reference));
  }
  admitted("signed docker.io/library/modulo:1.0", () => run(`${hubSigned}:1.0`));
  admitted("signed library/modulo:1.0", () => run("library/modulo:1.0"));
  admitted("signed docker.io/acme/app:1.0", () => run("docker.io/acme/app:1.0"));
  admitted("signed acme/app:1.0", () => run("acme/app:1.0"));
  admitted("another image of Docker Hub", () => run("nginx:1"));
});
