import { CONTEXTS, type Place, STACKS, type Values, valueCases } from "./places";

export function bashScript(places: readonly Place[]): string {
  const paths = places.filter(({ path }) => path !== "").map(({ path }) => path);
  return `# bash completion of image-signing-guard
_image_signing_guard() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} place="" i
  # bash takes --flag=value for three words.
  [[ $cur == "=" ]] && cur=""
  [[ $prev == "=" ]] && prev=\${COMP_WORDS[COMP_CWORD-2]}
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "$place \${COMP_WORDS[i]}" in
      ${paths.map((path) => `"${path}"`).join(" | ")}) place="$place \${COMP_WORDS[i]}" ;;
    esac
  done
  case "$place:$prev" in
${places.flatMap((place) => valueCases(place, reply)).join("\n")}
  esac
  case "$place" in
${places.map(wordCase).join("\n")}
  esac
}
complete -F _image_signing_guard image-signing-guard
`;
}

function wordCase({ path, commands, flags, argument }: Place): string {
  const words = [...commands.map(({ name }) => name), ...(argument?.kind === "words" ? argument.words : [])];
  const names = flags.flatMap((flag) => flag.names);
  const own = argument && argument.kind !== "words" && argument.kind !== "free" ? reply(argument) : "COMPREPLY=()";
  const bare = words.length > 0 ? reply({ kind: "words", words }) : own;
  return `    "${path}") if [[ $cur == -* ]]; then ${reply({ kind: "words", words: names })}; else ${bare}; fi ;;`;
}

function reply(values: Values): string {
  switch (values.kind) {
    case "words":
      return `COMPREPLY=($(compgen -W "${values.words.join(" ")}" -- "$cur"))`;
    case "file":
      return `COMPREPLY=($(compgen -f -- "$cur"))`;
    case "folder":
      return `COMPREPLY=($(compgen -d -- "$cur"))`;
    case "stack":
      return `COMPREPLY=($(compgen -W "$(${STACKS})" -- "$cur"))`;
    case "context":
      return `COMPREPLY=($(compgen -W "$(${CONTEXTS})" -- "$cur"))`;
    case "free":
      return "COMPREPLY=()";
  }
}
