/** What the shell completes after `argus`, as a script for bash. */

export interface CommandWords {
  readonly name: string;
  /** Words that an argument may be, and long options: `watch`, `--json`. */
  readonly options: readonly string[];
  /** Commands of its own: `add` of `silence`. */
  readonly commands: readonly CommandWords[];
  /** It takes keys of problems: those that are open are asked for when the key is pressed. */
  readonly takesKeys: boolean;
}

/** Names of commands and options hold nothing that a shell would take for more than a word. */
export function bashCompletion(commands: readonly CommandWords[]): string {
  const names = commands.map(({ name }) => name).join(" ");
  return `# bash completion for argus, made by: argus completion
_argus() {
  local words keys="" cur="\${COMP_LINE:0:COMP_POINT}"
  cur="\${cur##*[[:space:]]}"
  case "\${COMP_WORDS[1]-}" in
${commands.map(row).join("\n")}
    *) words="" ;;
  esac
  if [ "$COMP_CWORD" -eq 1 ]; then words="${names} --help --version"; fi
  if [ -n "$keys" ]; then words="$words $(argus completion --open-keys 2>/dev/null)"; fi
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
  # To bash a colon begins a word, and only what comes after it is replaced.
  if [[ $cur == *:* && $COMP_WORDBREAKS == *:* ]]; then COMPREPLY=("\${COMPREPLY[@]#"\${cur%"\${cur##*:}"}"}"); fi
}
complete -o default -F _argus argus
`;
}

function row({ name, options, commands, takesKeys }: CommandWords): string {
  const own = [...commands.map((each) => each.name), ...options].join(" ");
  if (commands.length === 0) return `    ${name}) words="${own}"${takesKeys ? " keys=1" : ""} ;;`;
  const inner = commands.map((each) => `${each.name}) words="${each.options.join(" ")}" ;;`);
  return `    ${name})
      case "$COMP_CWORD \${COMP_WORDS[2]-}" in
        "2 "*) words="${own}" ;;
${inner.map((each) => `        *" "${each}`).join("\n")}
        *) words="" ;;
      esac
      ;;`;
}
