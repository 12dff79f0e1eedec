import { Command } from "commander";
import { namespaceNames, withOutputOption, withStackOptions } from "../options";
import type { CheckOptions } from "./run";

export function checkCommand(): Command {
  const command = new Command("check")
    .description("Say for each image how it is signed, by whom, which rule judges it, and what Kyverno would decide.")
    .argument("<image...>", "images as a pod names them")
    .requiredOption("-s, --stack <name>", "stack whose Pulumi.<name>.yaml is read")
    .option(
      "-n, --namespace <name>",
      "namespace to judge for, repeatable (default: a production and another)",
      namespaceNames,
      [],
    );
  return withOutputOption(withStackOptions(command))
    .addHelpText(
      "after",
      [
        "",
        "Needs no cluster. Logins are those of docker login and podman login (REGISTRY_AUTH_FILE).",
        "HTTPS_PROXY and NODE_EXTRA_CA_CERTS are honoured.",
        "Exit code: 0 all would be admitted, 1 some would be refused, 2 some can't be told.",
        "",
        "Example:",
        "  image-signing-guard check ghcr.io/ikey168/modulo-frontend:1.0 --stack prod",
      ].join("\n"),
    )
    .action(async (images: string[], options: CheckOptions) => (await import("./run")).runCheck(images, options));
}
