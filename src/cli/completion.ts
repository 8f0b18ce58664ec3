import { type Command, Option } from "commander";
import { isOpen } from "../record/problems.ts";
import { readProblems } from "../record/registry-reader.ts";
import { bashCompletion, type CommandWords } from "../report/completion.ts";
import { type Context, lookAtState } from "./context.ts";

export function completionCommand(program: Command, context: Context): void {
  program
    .command("completion")
    .description("print the completion for bash")
    .addOption(new Option("--open-keys", "the keys of the open problems").hideHelp())
    .action(({ openKeys }: { openKeys?: true }) => {
      if (openKeys) return context.printRaw(keysOfOpenProblems(context).join("\n"));
      const help = program.createHelp();
      const wordsOf = (command: Command): CommandWords[] =>
        help
          .visibleCommands(command)
          .filter((each) => command === program || each.name() !== "help")
          .map((each) => ({
            name: each.name(),
            options: [
              ...each.registeredArguments.flatMap(({ argChoices }) => argChoices ?? []),
              ...help.visibleOptions(each).flatMap(({ long }) => long ?? []),
            ],
            commands: wordsOf(each),
            takesKeys: each.registeredArguments.some(({ description }) => /\bkeys?\b/.test(description)),
          }));
      context.printRaw(bashCompletion(wordsOf(program)));
    });
}

function keysOfOpenProblems(context: Context): string[] {
  const { problems } = readProblems(context.system.files, lookAtState(context, false).stateDir);
  return [...problems.values()].filter(isOpen).map(({ key }) => key);
}
