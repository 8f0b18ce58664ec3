import type { Command } from "commander";
import { bashCompletion, type CommandWords } from "../report/completion.ts";
import type { Context } from "./context.ts";

export function completionCommand(program: Command, context: Context): void {
  program
    .command("completion")
    .description("print the completion for bash")
    .action(() => {
      const help = program.createHelp();
      const wordsOf = (command: Command): CommandWords[] =>
        help
          .visibleCommands(command)
          .filter((each) => command === program || each.name() !== "help")
          .map((each) => ({
            name: each.name(),
            options: help.visibleOptions(each).flatMap(({ long }) => long ?? []),
            commands: wordsOf(each),
          }));
      context.printRaw(bashCompletion(wordsOf(program)));
    });
}
