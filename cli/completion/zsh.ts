import { CONTEXTS, type Place, plain, STACKS, type Values, valueCases } from "./places";

export function zshScript(places: readonly Place[]): string {
  const paths = places.filter(({ path }) => path !== "").map(({ path }) => `"${path}"`);
  return `#compdef image-signing-guard
# zsh completion of image-signing-guard
_image_signing_guard() {
  local place="" word prev=\${words[CURRENT-1]}
  local -a items
  for word in "\${(@)words[2,CURRENT-1]}"; do
    case "$place $word" in
      ${paths.join(" | ")}) place="$place $word" ;;
    esac
  done
  # --flag=value is one word here.
  if [[ $PREFIX == --*=* ]]; then
    prev=\${PREFIX%%=*}
    compset -P 1 '*='
  fi
  case "$place:$prev" in
${places.flatMap((place) => valueCases(place, reply)).join("\n")}
  esac
  case "$place" in
${places.map(wordCase).join("\n")}
  esac
}
if [[ \${funcstack[1]} == _image-signing-guard ]]; then
  _image_signing_guard "$@"
else
  compdef _image_signing_guard image-signing-guard
fi
`;
}

function wordCase({ path, commands, flags, argument }: Place): string {
  const item = (name: string, description: string) => `'${name}:${plain(description)}'`;
  const names = flags.flatMap((flag) => flag.names.map((name) => item(name, flag.description)));
  const bare =
    commands.length > 0
      ? `items=(${commands.map(({ name, description }) => item(name, description)).join(" ")}); _describe command items`
      : argument
        ? reply(argument)
        : ":";
  return `    "${path}") if [[ $PREFIX == -* ]]; then items=(${names.join(" ")}); _describe option items; else ${bare}; fi ;;`;
}

function reply(values: Values): string {
  switch (values.kind) {
    case "words":
      return `compadd -- ${values.words.join(" ")}`;
    case "file":
      return "_files";
    case "folder":
      return "_files -/";
    case "stack":
      return `compadd -- \${(f)"$(${STACKS})"}`;
    case "context":
      return `compadd -- \${(f)"$(${CONTEXTS})"}`;
    case "free":
      return ":";
  }
}
