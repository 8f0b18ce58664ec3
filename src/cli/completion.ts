import type { Command } from "commander";
import { bashCompletion } from "../report/completion.ts";
import type { Context } from "./context.ts";

export function completionCommand(program: Command, context: Context): void {
  program
    .command("completion")
    .description("print the completion for bash, of the commands and options that there are")
    .action(() => {
      const help = program.createHelp();
      const words = help.visibleCommands(program).map((command) => ({
        name: command.name(),
        options: help.visibleOptions(command).flatMap(({ long }) => long ?? []),
      }));
      context.print(bashCompletion(words));
    });
}
