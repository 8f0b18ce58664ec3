/** What the shell completes after `argus`, as a script for bash. */

export interface CommandWords {
  readonly name: string;
  /** Long options: `--json`. */
  readonly options: readonly string[];
}

/** Names of commands and options hold nothing that a shell would take for more than a word. */
export function bashCompletion(commands: readonly CommandWords[]): string {
  const names = commands.map(({ name }) => name).join(" ");
  const rows = commands.map(({ name, options }) => `    ${name}) words="${options.join(" ")}" ;;`);
  return `# bash completion for argus, made by: argus completion
_argus() {
  local words
  case "\${COMP_WORDS[1]-}" in
${rows.join("\n")}
    *) words="" ;;
  esac
  if [ "$COMP_CWORD" -eq 1 ]; then words="${names} --help --version"; fi
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}")
}
complete -o default -F _argus argus
`;
}
