import { CONTEXTS, type Flag, type Place, plain, STACKS, type Values } from "./places";

const BEGIN = "complete -c image-signing-guard";

export function fishScript(places: readonly Place[]): string {
  const paths = places.filter(({ path }) => path !== "").map(({ path }) => `'${path}'`);
  return `# fish completion of image-signing-guard
function __image_signing_guard_at
  set -l place ''
  for word in (commandline -opc)[2..-1]
    switch "$place $word"
      case ${paths.join(" ")}
        set place "$place $word"
    end
  end
  test "$place" = "$argv[1]"
end
${BEGIN} -f
${places.flatMap(lines).join("\n")}
`;
}

function lines({ path, commands, flags, argument }: Place): string[] {
  const at = `${BEGIN} -n "__image_signing_guard_at '${path}'"`;
  return [
    ...commands.map(({ name, description }) => `${at} -a ${name} -d '${plain(description)}'`),
    ...(argument && argument.kind !== "free" ? [`${at}${reply(argument)}`] : []),
    ...flags.map((flag) => `${at}${flagWords(flag)} -d '${plain(flag.description)}'`),
  ];
}

function flagWords({ names, values }: Flag): string {
  const words = names.map((name) => (name.startsWith("--") ? ` -l ${name.slice(2)}` : ` -s ${name.slice(1)}`)).join("");
  if (!values) return words;
  return `${words} ${values.kind === "file" ? "-r" : "-x"}${reply(values)}`;
}

function reply(values: Values): string {
  switch (values.kind) {
    case "words":
      return ` -a '${values.words.join(" ")}'`;
    case "file":
      return " -F";
    case "folder":
      return " -a '(__fish_complete_directories)'";
    case "stack":
      return ` -a "(${STACKS.replace("$/", "\\$/")})"`;
    case "context":
      return ` -a '(${CONTEXTS})'`;
    case "free":
      return "";
  }
}
